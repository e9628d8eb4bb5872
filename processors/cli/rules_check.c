#include "processors/cli/rules_check.h"

#include "processors/cli/check_tests.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/test_proof.h"

enum err_code rules_check(const char *dir, const struct bundle *bundle, bool strict,
                          struct ruleset **set, struct diags *diags, struct err *err)
{
    enum err_code code;
    bool run;

    *set = rules_folder_check(dir, bundle, diags);
    run = strict && *set != NULL;
    code = check_tests(dir, bundle, !run, diags, err); /* running them says what is wrong in them */
    if (code == ERR_NONE && run)
        code = test_prove(dir, bundle, *set, diags, err);
    if (strict)
        diags_prove(diags);
    diags_sort(diags);
    return code;
}
