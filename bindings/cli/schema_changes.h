/* What one version of a schema changes of another, as `goat schema` prints it. */
#ifndef CLI_SCHEMA_CHANGES_H
#define CLI_SCHEMA_CHANGES_H

#include "options.h"

/* `goat schema DB diff NS V1 V2` and `goat schema DB retire NS V`, with the operands in `run`. */
int schema_diff(cli *run);
int schema_retire(cli *run);

/* What a definition would change of the version before it: printed, all of it, or said as notes, where data is at
 * stake. */
int schema_check(cli *run, const char *name, const char *definition, size_t len, bool prints);

#endif
