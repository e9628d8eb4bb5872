/* processors/cli/infer.h - attent schema infer: a first schema of each event type in a sample. */
#ifndef ATTENT_PROCESSORS_CLI_INFER_H
#define ATTENT_PROCESSORS_CLI_INFER_H

int verb_schema_infer(int argc, char **argv); /* argv: as of verb_schema */

#endif
