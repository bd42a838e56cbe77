/* Standard output with every error noticed, and one-line messages on standard error.
 *
 * Output is collected and written in large pieces. After the first failed write nothing more is written;
 * out_finish() says so and makes it the exit code, except that a closed pipe is said by the code alone.
 *
 * Keys, messages and values come from anywhere: on a terminal control characters are shown as \u001b, which in JSON
 * means the same. Elsewhere nothing is changed. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

void out_bytes(const void *bytes, size_t len);
void out_text(const char *text);
void out_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void out_json_string(const char *text, size_t len); /* with the quotes; the text is UTF-8 */
void out_json_text(const char *text);               /* the same for a C string */
void out_hex(const uint8_t *bytes, size_t len);

/* The columns of the terminal that standard output is, or 0 where it is none. */
int out_width(void);

/* Writes out what was collected. False, now and from then on: it could not be written. */
bool out_flush(void);
bool out_failed(void); /* so that a long loop can end early */

/* The exit code of the whole run. */
int out_finish(const cli *run, int code);

/* One line on standard error, "goat COMMAND: …". Control characters and what is no UTF-8 become '?'. */
void cli_error(const cli *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what is only worth knowing: "goat COMMAND: note: …". */
void cli_note(const cli *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says why the library refused, "goat COMMAND: subject: message (rule …)", and ends the error. `subject`
 * (may be NULL) stands in where the error names no path. Gives the exit code. */
int cli_fail(const cli *run, const char *subject, goat_error *error);

/* The same as text without the command in front; `error` stays. */
void cli_describe(const goat_error *error, const char *subject, char *text, size_t size);

int cli_code(goat_status status);

#endif
