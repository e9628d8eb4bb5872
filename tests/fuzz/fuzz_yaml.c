/* YAML from any bytes: no crash, and every place of every text lies in the file. */
#include "core/check.h"
#include "core/yaml.h"

static void visit(const struct yaml_node *node, int depth, size_t *budget)
{
    if (*budget == 0)
        return;
    --*budget;
    CHECK(depth < 64 && node->place.line >= 1 && node->place.column >= 1);
    if (node->kind != YAML_LIST && node->kind != YAML_MAP)
        for (size_t i = 0; i <= node->text.len && i < 64; i += 7)
            CHECK(yaml_place(node, i).line >= node->place.line);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == YAML_MAP)
            visit(node->keys[i], depth + 1, budget);
        visit(node->items[i], depth + 1, budget);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct yaml_node *root;
    size_t budget = 2000; /* nodes looked at: places cost the length of a text */

    root = yaml_read((struct str){(const char *)data, bytes}, "fuzz.yaml", arena, &diags);
    CHECK((root == NULL) == (diags.error_count != 0));
    if (root != NULL) {
        visit(root, 0, &budget);
        yaml_value(root, arena);
    }
    diags_free(&diags);
    arena_free(arena);
    return 0;
}
