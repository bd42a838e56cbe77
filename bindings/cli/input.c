#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

int input_read(const cli *run, const char *name, text *into) {
    bool is_standard = strcmp(name, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(name, "rbe");
    if (file == NULL) {
        cli_error(run, "%s: cannot open it: %s", name, strerror(errno));
        return CLI_TROUBLE;
    }
    char piece[1 << 14];
    size_t got;
    errno = 0;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0 && into->len <= INPUT_MAX) {
        text_add(into, piece, got);
    }
    int error = ferror(file) != 0 ? errno : 0;
    if (!is_standard) {
        fclose(file);
    }
    if (error != 0) {
        cli_error(run, "%s: cannot read it: %s", is_standard ? "stdin" : name, strerror(error));
        return CLI_TROUBLE;
    }
    if (into->len > INPUT_MAX) {
        cli_error(run, "%s: longer than 64 MiB", is_standard ? "stdin" : name);
        return CLI_NO;
    }
    return CLI_DONE;
}
