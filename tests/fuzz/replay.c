/* Runs a fuzzer's function over files and folders of files, without libFuzzer: so every compiler, every
 * sanitizer and WebAssembly replay the corpus in the ordinary tests. It looks for nothing new.
 *
 * Input lies in memory of exactly its size, so that an address sanitizer sees a read behind its end.
 * A run without any input is a failure: a corpus that was moved must not pass silently. */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_BYTES = 4096, INPUT_BYTES_MAX = 1 << 26 };

static _Noreturn void stop(const char *path, const char *why) {
    fprintf(stderr, "%s: %s\n", path, why);
    exit(2);
}

static void replay_file(const char *path, size_t size) {
    if (size > INPUT_BYTES_MAX) {
        stop(path, "too large for a corpus");
    }
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    if (data == NULL || file == NULL) {
        stop(path, data == NULL ? "no memory" : strerror(errno));
    }
    if (fread(data, 1, size, file) != size) {
        stop(path, "cannot be read whole");
    }
    fclose(file);
    /* Said beforehand: when the function crashes, this is the line that names the input. */
    printf("%s\n", path);
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned replay(const char *path) {
    struct stat facts;
    if (stat(path, &facts) != 0) {
        stop(path, strerror(errno));
    }
    if (!S_ISDIR(facts.st_mode)) {
        replay_file(path, (size_t)facts.st_size);
        return 1;
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        stop(path, strerror(errno));
    }
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char inner[PATH_BYTES];
        if (entry->d_name[0] == '.') {
            continue;
        }
        int len = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof inner) {
            stop(path, "path too long");
        }
        count += replay(inner);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        count += replay(argv[i]);
    }
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
