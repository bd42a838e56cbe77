#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH_MIN = 40, WIDTH_MAX = 100, BAR_MIN = 4, TEXT_MAX = 512 };
static const double redraw_seconds = 0.1;

double progress_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_begin(progress *p, const char *unit, bool quiet) {
    *p = (progress){.unit = unit, .is_on = !quiet && isatty(STDERR_FILENO) == 1, .begun = progress_now()};
}

const char *progress_number(uint64_t number, char *text) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *out = text;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *out++ = ',';
        }
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

static int width_of_terminal(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 80;
    }
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static void write_error(const char *text, int len) { (void)!write(STDERR_FILENO, text, (size_t)len); }

void progress_show(progress *p, uint64_t count, uint64_t done, uint64_t total) {
    double now = p->is_on ? progress_now() : 0;
    if (!p->is_on || now < p->next) {
        return;
    }
    p->next = now + redraw_seconds;
    p->is_shown = true;
    double seconds = now - p->begun;
    char number[PROGRESS_NUMBER_SIZE], rate[PROGRESS_NUMBER_SIZE], text[TEXT_MAX];
    progress_number(count, number);
    progress_number(seconds > 0 ? (uint64_t)((double)count / seconds) : 0, rate);
    if (total == 0) {
        int len = snprintf(text, sizeof text, "\r%s %s  %s/s\033[K", number, p->unit, rate);
        write_error(text, len);
        return;
    }
    double part = done < total ? (double)done / (double)total : 1;
    unsigned left = part > 0 ? (unsigned)(seconds / part - seconds + 0.5) : 0;
    char tail[160];
    int tail_len = snprintf(tail, sizeof tail, "] %3d%%  %s %s  %s/s  %u:%02u left", (int)(100 * part), number, p->unit,
                            rate, left / 60, left % 60);
    int room = width_of_terminal() - 2 - tail_len, full = (int)((double)room * part + 0.5);
    char bar[WIDTH_MAX + 1] = "";
    if (room >= BAR_MIN) {
        memset(bar, '=', (size_t)full);
        memset(bar + full, ' ', (size_t)(room - full));
        bar[room] = '\0';
    }
    write_error(text, snprintf(text, sizeof text, "\r[%s%s\033[K", bar, tail));
}

void progress_hide(progress *p) {
    if (p->is_shown) {
        static const char clear[] = "\r\033[K";
        write_error(clear, (int)sizeof clear - 1);
        p->is_shown = false;
        p->next = 0;
    }
}
