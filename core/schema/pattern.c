/* PCRE2 with our allocator and our limits. The library counts its steps anew at each place where it
 * tries to begin a match, so the limit that it is given is our total divided by the number of places. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "schema/pattern.h"

#include "base/utf8.h"

#include <pcre2.h>

enum { KEPT_MEMORY_MAX = 65536 }; /* working memory above this is given back after the match */

struct gt_pattern {
    const gt_alloc *alloc;
    pcre2_general_context *general;
    pcre2_match_context *limits;
    pcre2_code *code;
    pcre2_match_data *data; /* NULL: made by the next match */
    bool anchored;
    bool ran_out;    /* the allocator said no */
    bool is_swollen; /* the last match took much working memory */
};

static void *take_memory(size_t size, void *context) {
    gt_pattern *pattern = context;
    void *memory = size == 0 ? NULL : gt_resize(pattern->alloc, NULL, size, 1);
    pattern->ran_out |= memory == NULL;
    pattern->is_swollen |= size > KEPT_MEMORY_MAX;
    return memory;
}

static void give_memory_back(void *memory, void *context) {
    gt_pattern *pattern = context;
    gt_free(pattern->alloc, memory);
}

static goat_status read_options(gt_bytes letters, uint32_t *options, gt_diag *diag) {
    static const struct {
        char letter;
        uint32_t option;
    } known[] = {{'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL}, {'x', PCRE2_EXTENDED}};

    *options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C; /* \C would split a code point */
    for (size_t i = 0; i < letters.len; i++) {
        size_t k = 0;
        while (k < 4 && known[k].letter != (char)letters.data[i]) {
            k++;
        }
        if (k == 4) {
            return gt_fail_at(diag, GOAT_INVALID, i, "an option of a pattern other than i, m, s and x");
        }
        *options |= known[k].option;
    }
    return GOAT_OK;
}

static goat_status compile(gt_pattern *pattern, gt_bytes text, uint32_t options, gt_diag *diag) {
    int code = 0;
    PCRE2_SIZE position = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(pattern->general);
    if (context == NULL) {
        return gt_no_memory(diag);
    }
    pcre2_set_parens_nest_limit(context, GT_PATTERN_NEST_MAX);
    pattern->ran_out = false;
    pattern->code = pcre2_compile((PCRE2_SPTR)(text.len == 0 ? (const uint8_t *)"" : text.data), text.len, options,
                                  &code, &position, context);
    pcre2_compile_context_free(context);
    if (pattern->code != NULL) {
        return GOAT_OK;
    }
    if (pattern->ran_out) {
        return gt_no_memory(diag);
    }
    PCRE2_UCHAR words[128];
    if (pcre2_get_error_message(code, words, sizeof words) < 0) {
        words[0] = 0;
    }
    return gt_fail_at(diag, GOAT_INVALID, position, "not a pattern: %s", (const char *)words);
}

static goat_status set_up(gt_pattern *pattern, gt_bytes text, uint32_t options, gt_diag *diag) {
    pattern->general = pcre2_general_context_create(take_memory, give_memory_back, pattern);
    pattern->limits = pattern->general == NULL ? NULL : pcre2_match_context_create(pattern->general);
    if (pattern->limits == NULL) {
        return gt_no_memory(diag);
    }
    pcre2_set_depth_limit(pattern->limits, GT_PATTERN_DEPTH_MAX);
    pcre2_set_heap_limit(pattern->limits, GT_PATTERN_HEAP_MAX_KIB);
    goat_status status = compile(pattern, text, options, diag);
    if (status != GOAT_OK) {
        return status;
    }
    uint32_t all_options = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &all_options);
    pattern->anchored = (all_options & PCRE2_ANCHORED) != 0;
    return GOAT_OK;
}

goat_status gt_pattern_compile(const gt_alloc *alloc, gt_bytes text, gt_bytes options, gt_pattern **pattern,
                               gt_diag *diag) {
    uint32_t bits;
    size_t wrong = 0;
    *pattern = NULL;
    if (text.len > GT_PATTERN_MAX) {
        return gt_fail_at(diag, GOAT_TOO_LARGE, GT_PATTERN_MAX, "a pattern of more than %d bytes", GT_PATTERN_MAX);
    }
    if (!gt_utf8_valid(text.data, text.len, &wrong)) {
        return gt_fail_at(diag, GOAT_INVALID, wrong, "a pattern is not UTF-8");
    }
    goat_status status = read_options(options, &bits, diag);
    if (status != GOAT_OK) {
        return status;
    }
    gt_pattern *made = gt_new(alloc, 1, sizeof *made);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->alloc = alloc;
    status = set_up(made, text, bits, diag);
    if (status != GOAT_OK) {
        gt_pattern_free(made);
        return status;
    }
    *pattern = made;
    return GOAT_OK;
}

const gt_alloc *gt_pattern_alloc(const gt_pattern *pattern) { return pattern->alloc; }

void gt_pattern_free(gt_pattern *pattern) {
    if (pattern == NULL) {
        return;
    }
    pcre2_match_data_free(pattern->data);
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->limits);
    pcre2_general_context_free(pattern->general);
    gt_free(pattern->alloc, pattern);
}

static uint32_t steps_at_each_place(const gt_pattern *pattern, size_t subject_len) {
    size_t places = pattern->anchored ? 1 : subject_len + 1;
    size_t steps = GT_PATTERN_STEPS_MAX / places;
    return (uint32_t)(steps < GT_PATTERN_STEPS_MIN ? GT_PATTERN_STEPS_MIN : steps);
}

gt_match gt_pattern_find(gt_pattern *pattern, gt_bytes subject) {
    if (!pattern->anchored && subject.len > GT_PATTERN_SUBJECT_MAX) {
        return GT_MATCH_LIMIT;
    }
    pattern->ran_out = false;
    pattern->is_swollen = false;
    if (pattern->data == NULL) {
        pattern->data = pcre2_match_data_create(1, pattern->general);
        if (pattern->data == NULL) {
            return GT_MATCH_NO_MEMORY;
        }
    }
    pcre2_set_match_limit(pattern->limits, steps_at_each_place(pattern, subject.len));
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)(subject.len == 0 ? (const uint8_t *)"" : subject.data),
                            subject.len, 0, PCRE2_NO_UTF_CHECK, pattern->data, pattern->limits);
    if (pattern->is_swollen) {
        pcre2_match_data_free(pattern->data);
        pattern->data = NULL;
    }
    if (found >= 0) { /* 0: it matched, and has more groups than we asked for */
        return GT_MATCH_YES;
    }
    if (pattern->ran_out) {
        return GT_MATCH_NO_MEMORY;
    }
    return found == PCRE2_ERROR_NOMATCH ? GT_MATCH_NO : GT_MATCH_LIMIT;
}
