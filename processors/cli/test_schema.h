/* processors/cli/test_schema.h - the table of rule tests (test_file.def) as JSON Schema, draft-07. */
#ifndef ATTENT_PROCESSORS_CLI_TEST_SCHEMA_H
#define ATTENT_PROCESSORS_CLI_TEST_SCHEMA_H

#include "core/buf.h"

void test_schema_write(struct buf *out); /* one document, with line breaks */

#endif
