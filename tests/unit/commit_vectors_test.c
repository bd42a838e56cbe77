/* The golden vectors in tests/vectors/commit/: the library still makes exactly these bytes. verify.py reads
 * them without the library. */
#include "support/test.h"

#include "support/commit_vectors.h"

#include <stdio.h>
#include <string.h>

static json_t *load(const char *name) {
    char path[1024];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/tests/vectors/commit/%s", GOAT_TEST_ROOT, name);
    json_t *file = json_load_file(path, 0, &error);
    if (file == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    return file;
}

static void the_vectors_are_still_made(void **state) {
    (void)state;
    for (size_t i = 0; i < commit_vector_file_count; i++) {
        batch_maker maker;
        batch_maker_init(&maker);
        json_t *kept = load(commit_vector_files[i].name), *made = commit_vector_files[i].make(&maker);
        json_t *kept_cases = json_object_get(kept, "cases"), *made_cases = json_object_get(made, "cases");
        assert_int_equal(json_array_size(kept_cases), json_array_size(made_cases));
        for (size_t c = 0; c < json_array_size(made_cases); c++) {
            json_t *a = json_array_get(kept_cases, c), *b = json_array_get(made_cases, c);
            json_object_del(a, "reason"); /* words, which are not part of the format */
            json_object_del(b, "reason");
            if (json_equal(a, b) == 0) {
                fail_msg("%s, \"%s\" is not what it was", commit_vector_files[i].name,
                         json_string_value(json_object_get(b, "name")));
            }
        }
        assert_true(json_equal(kept, made));
        json_decref(kept);
        json_decref(made);
        batch_maker_free(&maker);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_are_still_made),
    };
    return cmocka_run_group_tests_name("commit_vectors", tests, NULL, NULL);
}
