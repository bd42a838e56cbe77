/* The commands as a table, and the command line of one run.
 *
 * The table is the only place that knows what a command takes: the parser, `--help` and `goat help --json`
 * read it, and a test compares the man pages and the completions with it. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "goat.h"

enum {
    CLI_DONE = 0,
    CLI_NO = 1,      /* not found, not valid, not equal */
    CLI_USAGE = 2,   /* the command line is wrong */
    CLI_TROUBLE = 3, /* the machine, or the stored bytes */
    CLI_SIGNAL = 128 /* plus the number of the signal that ended the work early */
};

enum { CLI_OPTIONS_MAX = 20, CLI_SYNOPSES_MAX = 4 };

typedef struct cli cli;

typedef struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what follows it, one word or two; NULL for a flag */
    const char *help;     /* lines of at most 52 characters */
} cli_option;

typedef struct cli_command {
    const char *name;
    const char *summary;                    /* one line for the list of commands */
    const char *synopses[CLI_SYNOPSES_MAX]; /* what stands behind the name; more than one: ways to call it */
    const char *about;                      /* a few lines for --help */
    const char *example;
    int operands_min, operands_max;
    const cli_option *options; /* ends with an option without name; --help is understood besides */
    int (*run)(cli *run);      /* gives the exit code */
} cli_command;

struct cli {
    const cli_command *command; /* NULL while it is not known */
    char **operands;            /* in order, the options taken out */
    int operand_count;
    const char *values[CLI_OPTIONS_MAX];  /* by place in the command's table; "" for a flag that is there */
    const char *seconds[CLI_OPTIONS_MAX]; /* of an option that takes two */
    bool asks_help;
    goat_db *db;
    goat_repo *repo;
};

/* All commands in the order in which help lists them; ends with one without name. */
extern const cli_command cli_commands[];

/* NULL: there is no such command. */
const cli_command *cli_find_command(const char *name);

/* Sorts the arguments behind the command's name into `run`. Operands end up at the front of `arguments`.
 * False: it was not right, and that was said. */
bool cli_parse(cli *run, char **arguments, int count);

/* The option must be in the command's table. */
bool cli_has(const cli *run, const char *name);
const char *cli_value(const cli *run, const char *name);  /* NULL: not given */
const char *cli_second(const cli *run, const char *name); /* of an option that takes two values */

/* A whole number of an option in `*number`, which stays as it is when the option is not given. False: it is
 * none between `min` and `max`, and that was said. */
bool cli_number(const cli *run, const char *name, uint32_t min, uint32_t max, uint32_t *number);

/* Says what is wrong with the command line, with a pointer to the help. Gives CLI_USAGE. */
int cli_usage(const cli *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `goat help`, `goat COMMAND --help` and `goat help --json`, on standard output. */
void cli_help_all(void);
void cli_help_command(const cli_command *command);
void cli_help_json(const cli_command *command); /* NULL: all */

#endif
