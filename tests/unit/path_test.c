/* core/value/path.h: which texts are paths, and where the others are wrong. */
#include "support/test.h"

#include "value/path.h"

#include <string.h>

#define TEXT_AND_LEN(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t len;
    int parts; /* 0: no path */
    uint64_t position;
    const char *words;
} cases[] = {
    {TEXT_AND_LEN("/a/b"), 2, 0, NULL},
    {TEXT_AND_LEN("/a/b/c"), 3, 0, NULL},
    {TEXT_AND_LEN("/data/tasks/buy milk"), 3, 0, NULL},
    {TEXT_AND_LEN("/sys/schemas/task@1"), 3, 0, NULL},
    {TEXT_AND_LEN("/A-Z_a.z09/-/$\\\"'"), 3, 0, NULL},
    {TEXT_AND_LEN("/_/9/..."), 3, 0, NULL},
    {TEXT_AND_LEN("/a/b/.c"), 3, 0, NULL},
    {TEXT_AND_LEN("/a/b/\xc3\xbc\xf0\x90\x85\x91"), 3, 0, NULL},
    {TEXT_AND_LEN("/a./b.."), 2, 0, NULL},
    {TEXT_AND_LEN(""), 0, 0, "begins with '/'"},
    {TEXT_AND_LEN("a/b"), 0, 0, "begins with '/'"},
    {TEXT_AND_LEN(" /a/b"), 0, 0, "begins with '/'"},
    {TEXT_AND_LEN("/"), 0, 1, "the name is empty"},
    {TEXT_AND_LEN("//b"), 0, 1, "the name is empty"},
    {TEXT_AND_LEN("/a"), 0, 2, "two parts or three"},
    {TEXT_AND_LEN("/a/"), 0, 3, "the name is empty"},
    {TEXT_AND_LEN("/a//c"), 0, 3, "the name is empty"},
    {TEXT_AND_LEN("/.a/b"), 0, 1, "begin with a dot"},
    {TEXT_AND_LEN("/../b"), 0, 1, "begin with a dot"},
    {TEXT_AND_LEN("/a/.b/c"), 0, 3, "begin with a dot"},
    {TEXT_AND_LEN("/a b/c"), 0, 2, "consists of"},
    {TEXT_AND_LEN("/ab/c@d/e"), 0, 5, "consists of"},
    {TEXT_AND_LEN("/a\xc3\xbc/c"), 0, 2, "consists of"},
    {TEXT_AND_LEN("/a\0/c"), 0, 2, "consists of"},
    {TEXT_AND_LEN("/a/b/"), 0, 5, "key is empty"},
    {TEXT_AND_LEN("/a/b/."), 0, 5, "'.' or '..'"},
    {TEXT_AND_LEN("/a/b/.."), 0, 5, "'.' or '..'"},
    {TEXT_AND_LEN("/a/b/c/d"), 0, 6, "holds no '/'"},
    {TEXT_AND_LEN("/a/b//"), 0, 5, "holds no '/'"},
    {TEXT_AND_LEN("/a/b/c\0"), 0, 6, "control"},
    {TEXT_AND_LEN("/a/b/c\nd"), 0, 6, "control"},
    {TEXT_AND_LEN("/a/b/\x1f"), 0, 5, "control"},
    {TEXT_AND_LEN("/a/b/cd\x7f"), 0, 7, "control"},
    {TEXT_AND_LEN("/a/b/c\xff"), 0, 6, "not UTF-8"},
    {TEXT_AND_LEN("/a/b/\xc3"), 0, 5, "not UTF-8"},
    {TEXT_AND_LEN("/a/b/cc\xed\xa0\x80"), 0, 7, "not UTF-8"},
};

static void assert_refused(goat_status status, const gt_diag *diag, uint64_t position, const char *words) {
    assert_int_equal(status, GOAT_INVALID);
    if (diag->position != position || strstr(diag->message, words) == NULL) {
        fail_msg("at %lld: %s", (long long)diag->position, diag->message);
    }
}

static void paths_are_taken_apart_or_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gt_bytes text = gt_bytes_of(cases[i].text, cases[i].len);
        gt_path path;
        gt_diag diag;
        size_t position = 99;
        gt_diag_init(&diag);
        goat_status status = gt_path_parse(text, &path, &diag);
        if (cases[i].parts == 0) {
            assert_refused(status, &diag, cases[i].position, cases[i].words);
            assert_refused(gt_path_parse_repo(text, &path, &diag), &diag, cases[i].position, cases[i].words);
            assert_refused(gt_path_parse_item(text, &path, &diag), &diag, cases[i].position, cases[i].words);
            assert_non_null(gt_item_path_fault(text, &position));
            assert_int_equal(position, cases[i].position);
            continue;
        }
        assert_int_equal(status, GOAT_OK);
        assert_int_equal(path.key.data != NULL, cases[i].parts == 3);
        assert_int_equal(1 + path.type.len + 1 + path.name.len + (path.key.data != NULL ? 1 + path.key.len : 0),
                         text.len);
        assert_int_equal(path.type.data[-1], '/');
        assert_int_equal(path.name.data[-1], '/');
        const char *fault = gt_item_path_fault(text, &position);
        if (cases[i].parts == 3) {
            assert_null(fault);
            assert_int_equal(gt_path_parse_item(text, &path, &diag), GOAT_OK);
            assert_refused(gt_path_parse_repo(text, &path, &diag), &diag, (uint64_t)(path.key.data - text.data) - 1,
                           "three parts");
        } else {
            assert_non_null(strstr(fault, "three parts"));
            assert_int_equal(position, text.len);
            assert_int_equal(gt_path_parse_repo(text, &path, &diag), GOAT_OK);
            assert_refused(gt_path_parse_item(text, &path, &diag), &diag, text.len, "two parts");
        }
    }
}

static void names_and_keys_have_limits(void **state) {
    (void)state;
    char text[GOAT_KEY_MAX + 2];
    size_t position = 0;
    memset(text, 'n', sizeof text);
    assert_null(gt_name_fault(gt_bytes_of(text, 1), &position));
    assert_null(gt_name_fault(gt_bytes_of(text, GOAT_NAME_MAX), &position));
    assert_non_null(strstr(gt_name_fault(gt_bytes_of(text, GOAT_NAME_MAX + 1), &position), "longer than 64"));
    assert_int_equal(position, GOAT_NAME_MAX);
    assert_null(gt_key_fault(gt_bytes_of(text, 1), &position));
    assert_null(gt_key_fault(gt_bytes_of(text, GOAT_KEY_MAX), &position));
    assert_non_null(strstr(gt_key_fault(gt_bytes_of(text, GOAT_KEY_MAX + 1), &position), "longer than 512"));
    assert_int_equal(position, GOAT_KEY_MAX);
    text[GOAT_KEY_MAX] = '/'; /* of two faults the first from the left is named */
    assert_non_null(gt_key_fault(gt_bytes_of(text, GOAT_KEY_MAX + 1), &position));
    assert_int_equal(position, GOAT_KEY_MAX);
    assert_non_null(gt_key_fault(gt_bytes_of(NULL, 0), NULL));
    assert_non_null(gt_name_fault(gt_bytes_of(NULL, 0), NULL));
}

static void the_longest_path_is_taken(void **state) {
    (void)state;
    char text[GT_PATH_MAX + 1];
    gt_path path;
    gt_diag diag;
    memset(text, 'x', sizeof text);
    text[0] = text[1 + GOAT_NAME_MAX] = text[2 + 2 * GOAT_NAME_MAX] = '/';
    assert_int_equal(gt_path_parse_item(gt_bytes_of(text, GT_PATH_MAX), &path, NULL), GOAT_OK);
    assert_int_equal(path.key.len, GOAT_KEY_MAX);
    gt_diag_init(&diag);
    assert_refused(gt_path_parse(gt_bytes_of(text, GT_PATH_MAX + 1), &path, &diag), &diag, GT_PATH_MAX,
                   "longer than 512");
    text[1 + GOAT_NAME_MAX] = 'x';
    assert_refused(gt_path_parse(gt_bytes_of(text, GT_PATH_MAX), &path, &diag), &diag, 1 + GOAT_NAME_MAX,
                   "longer than 64");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_taken_apart_or_refused),
        cmocka_unit_test(names_and_keys_have_limits),
        cmocka_unit_test(the_longest_path_is_taken),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
