/* The command line of one run: options before, behind or between the operands, `--` ends them. */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

const cli_command *cli_find_command(const char *name) {
    for (const cli_command *command = cli_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

/* The place of an option in the command's table, or -1. `len` of `name` count. */
static int find_option(const cli_command *command, const char *name, size_t len) {
    for (int i = 0; command->options[i].name != NULL; i++) {
        if (strlen(command->options[i].name) == len && memcmp(command->options[i].name, name, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* Takes "--name", "--name=value", or "--name" with what it needs behind it. `*used` counts arguments. */
static bool take_option(cli *run, char **arguments, int count, int *used) {
    const char *name = arguments[0] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    *used = 1;
    if (len == strlen("help") && memcmp(name, "help", len) == 0 && value == NULL) {
        run->asks_help = true;
        return true;
    }
    int place = find_option(run->command, name, len);
    if (place < 0) {
        cli_usage(run, "there is no option --%.*s", (int)len, name);
        return false;
    }
    const cli_option *option = &run->command->options[place];
    int wanted = option->argument == NULL ? 0 : strchr(option->argument, ' ') == NULL ? 1 : 2;
    const char *given[2] = {value, NULL};
    int have = value != NULL;
    if (have > wanted) {
        cli_usage(run, "--%s takes no %s", option->name, "value");
        return false;
    }
    while (have < wanted && *used < count) {
        given[have++] = arguments[(*used)++];
    }
    if (have < wanted) {
        cli_usage(run, "--%s needs %s, %s", option->name, wanted == 1 ? "a value" : "two values", option->argument);
        return false;
    }
    run->values[place] = wanted > 0 ? given[0] : "";
    run->seconds[place] = given[1];
    return true;
}

static bool check_operands(const cli *run) {
    if (run->asks_help) {
        return true;
    }
    if (run->operand_count < run->command->operands_min) {
        cli_usage(run, "too few operands: goat %s %s", run->command->name, run->command->synopses[0]);
        return false;
    }
    if (run->operand_count > run->command->operands_max) {
        cli_usage(run, "one operand too many: %s", run->operands[run->command->operands_max]);
        return false;
    }
    return true;
}

bool cli_parse(cli *run, char **arguments, int count) {
    bool only_operands = false;
    run->operands = arguments;
    run->operand_count = 0;
    for (int i = 0; i < count;) {
        char *argument = arguments[i];
        int used = 1;
        if (only_operands || argument[0] != '-' || argument[1] == '\0') {
            run->operands[run->operand_count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (strcmp(argument, "-h") == 0) {
            run->asks_help = true;
        } else if (argument[1] != '-') {
            cli_usage(run, "there is no option %s", argument);
            return false;
        } else if (!take_option(run, arguments + i, count - i, &used)) {
            return false;
        }
        i += used;
    }
    return check_operands(run);
}

const char *cli_value(const cli *run, const char *name) {
    int place = find_option(run->command, name, strlen(name));
    if (place < 0 || place >= CLI_OPTIONS_MAX) {
        abort(); /* the command and its table do not agree */
    }
    return run->values[place];
}

const char *cli_second(const cli *run, const char *name) {
    return cli_value(run, name) != NULL ? run->seconds[find_option(run->command, name, strlen(name))] : NULL;
}

bool cli_has(const cli *run, const char *name) { return cli_value(run, name) != NULL; }

bool cli_number(const cli *run, const char *name, uint32_t min, uint32_t max, uint32_t *number) {
    const char *text = cli_value(run, name);
    if (text == NULL) {
        return true;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
        cli_usage(run, "--%s must be a whole number from %u to %u, not \"%s\"", name, (unsigned)min, (unsigned)max,
                  text);
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

int cli_usage(const cli *run, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (run->command != NULL) {
        cli_error(run, "%s (see goat %s --help)", text, run->command->name);
    } else {
        cli_error(run, "%s (see goat help)", text);
    }
    return CLI_USAGE;
}
