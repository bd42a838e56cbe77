/* The goat command: finds the command, reads its options, runs it, and makes sure of the output.
 *
 * It uses the public header abi/goat.h and nothing else of libgoat. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "output.h"
#include "probe.h"

/* A database's file must never get the number of a standard stream that the caller has closed: messages
 * would be written into it. */
static bool open_standard_streams(void) {
    for (int number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY) != number) {
            return false;
        }
    }
    return true;
}

static int run_command(cli *run, int count, char **arguments) {
    run->command = cli_find_command(arguments[0]);
    if (run->command == NULL) {
        return cli_usage(run, "there is no command \"%s\"", arguments[0]);
    }
    if (!cli_parse(run, arguments + 1, count - 1)) {
        return CLI_USAGE;
    }
    if (run->asks_help) {
        cli_help_command(run->command);
        return CLI_DONE;
    }
    return run->command->run(run);
}

int main(int count, char **arguments) {
    if (!open_standard_streams()) {
        return CLI_TROUBLE;
    }
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, and what is open gets closed */
    cli run = {0};
    int code = CLI_DONE;
    if (count < 2) {
        code = cli_usage(&run, "which command?");
    } else if (strcmp(arguments[1], "--version") == 0) {
        out_print("goat %s\n", goat_version());
    } else if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0) {
        cli_help_all();
    } else if (arguments[1][0] == '-') {
        code = cli_usage(&run, "there is no option %s", arguments[1]);
    } else {
        code = run_command(&run, count - 1, arguments + 1);
    }
    code = out_finish(&run, code);
    if (probe_is_left()) {
        _exit(code); /* what exit() would take down is in use */
    }
    return code;
}
