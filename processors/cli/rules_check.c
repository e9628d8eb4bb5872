#include "processors/cli/rules_check.h"

#include "processors/cli/check_tests.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/test_proof.h"
#include "rules/moment/schema_change.h"

enum err_code rules_check(const char *dir, const struct bundle *bundle, const struct bundle *before,
                          bool strict, struct ruleset **set, struct diags *diags, struct err *err)
{
    enum err_code code;
    size_t from;
    bool run;

    *set = rules_folder_check(dir, bundle, diags);
    from = diags->count;
    if (before != NULL)
        ruleset_compare_schemas(before, bundle, *set, diags);
    rules_folder_name_files(dir, diags, from);
    run = strict && *set != NULL;
    code = check_tests(dir, bundle, !run, diags, err); /* running them says what is wrong in them */
    if (code == ERR_NONE && run)
        code = test_prove(dir, bundle, *set, diags, err);
    if (strict)
        diags_prove(diags);
    diags_sort(diags);
    return code;
}
