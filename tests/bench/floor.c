/* What the machine itself costs: appending a few hundred bytes to a file and fdatasync. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { SYNCS = 60, BYTES = 400 };

void bench_floor(const bench_options *options) {
    char path[256], bytes[BYTES];
    join(path, sizeof(path), options->folder, "floor");
    memset(bytes, 'g', sizeof(bytes));
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    row_begin(update_work, "", 0, false);
    for (int i = 0; i < SYNCS && file >= 0; i++) {
        double begin = now_s();
        if (write(file, bytes, sizeof(bytes)) != BYTES || fdatasync(file) != 0) break;
        row_add(FLOOR, (now_s() - begin) * 1e6);
    }
    close(file);
    remove(path);
}
