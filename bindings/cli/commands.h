/* What runs for each command. Each gives the exit code and has closed what it opened. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

int cmd_init(cli *run);
int cmd_schema(cli *run);
int cmd_import(cli *run);
int cmd_apply(cli *run);
int cmd_get(cli *run);
int cmd_put(cli *run);
int cmd_set(cli *run);
int cmd_unset(cli *run);
int cmd_delete(cli *run);
int cmd_ls(cli *run);
int cmd_query(cli *run);
int cmd_log(cli *run);
int cmd_explain(cli *run);
int cmd_revert(cli *run);
int cmd_digest(cli *run);
int cmd_verify(cli *run);
int cmd_serve(cli *run);
int cmd_clone(cli *run);
int cmd_sync(cli *run);
int cmd_status(cli *run);
int cmd_help(cli *run);

#endif
