/* goat help, and what --help prints: all of it from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "output.h"

enum { COLUMN = 22 }; /* where the explanation of an option begins */

void cli_help_all(void) {
    out_text("usage: goat COMMAND ...\n\n");
    out_text("An embedded, distributed document database that works like Git for an app's\nlive data. ");
    out_text("DB is a directory, REPO is /type/repository, PATH is\n/type/repository/item.\n\n");
    for (const cli_command *command = cli_commands; command->name != NULL; command++) {
        out_print("  %-8s %s\n", command->name, command->summary);
    }
    out_text("\ngoat COMMAND --help says more, and so do the manual pages goat(1) and\n"
             "goat-COMMAND(1). Exit codes: 0 done, 1 no (not found, not valid), 2 wrong\n"
             "usage, 3 trouble.\n");
}

static void print_option(const cli_option *option) {
    char head[64];
    snprintf(head, sizeof head, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    out_print("  %-*s", COLUMN - 2, head);
    for (const char *line = option->help; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (line != option->help) {
            out_print("%*s", COLUMN, "");
        }
        out_bytes(line, len);
        out_text("\n");
        line += len + (line[len] == '\n');
    }
}

void cli_help_command(const cli_command *command) {
    for (int i = 0; i < CLI_SYNOPSES_MAX && command->synopses[i] != NULL; i++) {
        out_print("%s goat %s %s [OPTION]...\n", i == 0 ? "usage:" : "      ", command->name, command->synopses[i]);
    }
    out_print("\n%s\n\n", command->about);
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        print_option(option);
    }
    print_option(&(cli_option){"help", NULL, "print this"});
    out_print("\nexample: %s\n", command->example);
}

static void print_member(const char *name, const char *text) {
    out_print("\"%s\":", name);
    if (text != NULL) {
        out_json_text(text);
    } else {
        out_text("null");
    }
}

static void json_command(const cli_command *command) {
    out_text("{");
    print_member("name", command->name);
    out_text(",");
    print_member("summary", command->summary);
    out_text(",\"synopses\":[");
    for (int i = 0; i < CLI_SYNOPSES_MAX && command->synopses[i] != NULL; i++) {
        out_text(i > 0 ? "," : "");
        out_json_text(command->synopses[i]);
    }
    out_text("],\"options\":[");
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        out_text(option > command->options ? ",{" : "{");
        print_member("name", option->name);
        out_text(",");
        print_member("argument", option->argument);
        out_text(",");
        print_member("help", option->help);
        out_text("}");
    }
    out_text("],");
    print_member("example", command->example);
    out_text("}");
}

void cli_help_json(const cli_command *command) {
    if (command != NULL) {
        json_command(command);
        out_text("\n");
        return;
    }
    out_text("{");
    print_member("version", goat_version());
    out_text(",\"commands\":[");
    for (command = cli_commands; command->name != NULL; command++) {
        out_text(command > cli_commands ? "," : "");
        json_command(command);
    }
    out_text("]}\n");
}

int cmd_help(cli *run) {
    const cli_command *command = NULL;
    if (run->operand_count > 0) {
        command = cli_find_command(run->operands[0]);
        if (command == NULL) {
            return cli_usage(run, "there is no command \"%s\"", run->operands[0]);
        }
    }
    if (cli_has(run, "json")) {
        cli_help_json(command);
    } else if (command != NULL) {
        cli_help_command(command);
    } else {
        cli_help_all();
    }
    return CLI_DONE;
}
