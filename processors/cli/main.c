/* attent - see README.md; what it can do is in processors/cli/verbs.def. */
#include "processors/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
