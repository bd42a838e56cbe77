/* The parts of core/net that need no socket: URLs, paths, origins, tags, addresses, timers. */
#include "support/test.h"

#include "net/addresses.h"
#include "net/request.h"
#include "net/timers.h"
#include "net/url.h"
#include "support/test_alloc.h"
#include "support/test_random.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- URLs ---- */

static void a_url_has_its_parts(void **state) {
    static const struct {
        const char *text, *host, *authority, *path;
        uint16_t port;
        bool secure, is_address;
    } good[] = {
        {"ws://localhost", "localhost", "localhost", "/", 80, false, false},
        {"wss://Goats.Example/", "goats.example", "goats.example", "/", 443, true, false},
        {"WS://a_b-c.d:8080/x/y?z=1&w", "a_b-c.d", "a_b-c.d:8080", "/x/y?z=1&w", 8080, false, false},
        {"ws://127.0.0.1:80", "127.0.0.1", "127.0.0.1", "/", 80, false, true},
        {"wss://[::1]", "::1", "[::1]", "/", 443, true, true},
        {"ws://[2001:DB8::1]:7/p", "2001:db8::1", "[2001:db8::1]:7", "/p", 7, false, true},
        {"ws://a?q", "a", "a", "/?q", 80, false, false},
        {"ws://a:65535/%20", "a", "a:65535", "/%20", 65535, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        gt_url url;
        assert_int_equal(gt_url_parse(gt_bytes_text(good[i].text), &url, NULL), GOAT_OK);
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.authority, good[i].authority);
        assert_string_equal(url.path, good[i].path);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.secure, good[i].secure);
        assert_int_equal(url.is_address, good[i].is_address);
    }
}

static void what_is_no_url_is_refused(void **state) {
    static const struct {
        const char *text;
        int position; /* -1: none */
    } bad[] = {
        {"", 0},
        {"localhost", 0},
        {"http://localhost/", 0},
        {"ws:/localhost", 0},
        {"ws://", 5},
        {"ws:///path", 5},
        {"ws://a b/", 6},
        {"ws://a/b c", 8},
        {"ws://a/\x01", 7},
        {"ws://a/b#c", 8},
        {"ws://a:0/", 7},
        {"ws://a:65536/", 7},
        {"ws://a:/", 7},
        {"ws://a:8x/", 8},
        {"ws://u:p@a/", 5},
        {"ws://[::1/", 5},
        {"ws://[]/", 5},
        {"ws://[1.2.3.4]/", 5},
        {"ws://[fe80::1%25eth0]/", 5},
        {"ws://[::1]x/", 10},
        {"ws://-a/", 5},
        {"ws://.a/", 5},
        {"ws://\xc3\xa4/", 5},
        {"ws\x1a//a/", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gt_url url;
        gt_diag diag;
        gt_diag_init(&diag);
        assert_int_equal(gt_url_parse(gt_bytes_text(bad[i].text), &url, &diag), GOAT_INVALID);
        if (diag.position != (uint64_t)bad[i].position) print_error("%s\n", bad[i].text);
        assert_int_equal(diag.position, (uint64_t)bad[i].position);
    }
}

static void urls_have_limits(void **state) {
    char text[4096];
    gt_url url;
    (void)state;
    int begin = snprintf(text, sizeof text, "ws://");
    memset(text + begin, 'h', GT_URL_HOST_MAX);
    text[begin + GT_URL_HOST_MAX] = 0;
    assert_int_equal(gt_url_parse(gt_bytes_text(text), &url, NULL), GOAT_OK);
    text[begin + GT_URL_HOST_MAX] = 'h';
    text[begin + GT_URL_HOST_MAX + 1] = 0;
    assert_int_equal(gt_url_parse(gt_bytes_text(text), &url, NULL), GOAT_TOO_LARGE);
    begin = snprintf(text, sizeof text, "ws://h/");
    memset(text + begin, 'p', GT_URL_PATH_MAX - 1);
    text[begin + GT_URL_PATH_MAX - 1] = 0;
    assert_int_equal(gt_url_parse(gt_bytes_text(text), &url, NULL), GOAT_OK);
    text[begin + GT_URL_PATH_MAX - 1] = 'p';
    text[begin + GT_URL_PATH_MAX] = 0;
    assert_int_equal(gt_url_parse(gt_bytes_text(text), &url, NULL), GOAT_TOO_LARGE);
}

/* ---- requests ---- */

static void only_plain_paths_name_files(void **state) {
    static const char *const good[] = {"/", "/a", "/a/", "/a.b/c-d/e_f.html", "/a b", "/\xc3\xa4", "/a..b", "/a."};
    static const char *const bad[] = {"",    "a",     "//",      "/a//b", "/.",    "/..",
                                      "/.a", "/a/.b", "/a/../b", "/a\\b", "/a\nb", "/\x7f"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(gt_request_path_valid(gt_bytes_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(gt_request_path_valid(gt_bytes_text(bad[i])));
    assert_false(gt_request_path_valid(gt_bytes_of("/a\0b", 4)));
    char *longest = malloc(GT_REQUEST_PATH_MAX + 1);
    memset(longest, 'a', GT_REQUEST_PATH_MAX + 1);
    longest[0] = '/';
    assert_true(gt_request_path_valid(gt_bytes_of(longest, GT_REQUEST_PATH_MAX)));
    assert_false(gt_request_path_valid(gt_bytes_of(longest, GT_REQUEST_PATH_MAX + 1)));
    free(longest);
}

static bool is_a_example(void *context, const char *name) {
    (void)context;
    return strcmp(name, "a.example") == 0;
}

static bool allowed(const char *origin, const char *host, const char *list) {
    gt_bytes from = origin == NULL ? (gt_bytes){0} : gt_bytes_text(origin);
    return gt_request_origin_allowed(from, gt_bytes_text(host), list, is_a_example, NULL);
}

static void pages_may_connect_to_their_own_host(void **state) {
    (void)state;
    assert_true(allowed(NULL, "a.example", NULL));
    assert_true(allowed("https://a.example", "a.example", NULL));
    assert_true(allowed("https://A.Example", "a.example", ""));
    assert_true(allowed("https://a.example", "a.example:443", ""));
    assert_true(allowed("http://a.example:80", "a.example", ""));
    assert_true(allowed("http://localhost:8080", "localhost:8080", "  "));
    assert_true(allowed("http://127.0.0.1", "127.0.0.1:80", ""));
    assert_true(allowed("http://[2001:db8::1]:8080", "[2001:db8::1]:8080", ""));
    assert_false(allowed("http://evil.example:8080", "evil.example:8080", "")); /* it may only point here */
    assert_false(allowed("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", ""));
    assert_false(allowed("http://:8080", ":8080", ""));
    assert_false(allowed("http://localhost:8080", "localhost:8081", ""));
    assert_false(allowed("https://b.example", "a.example", ""));
    assert_false(allowed("https://a.example.evil", "a.example", ""));
    assert_false(allowed("null", "null", ""));
    assert_false(allowed("https://", "", ""));
    assert_false(allowed("", "", ""));
    assert_false(allowed("file://a.example", "a.example", ""));
}

static void a_list_of_origins_says_who_may(void **state) {
    (void)state;
    assert_true(allowed("https://b", "a", "https://b"));
    assert_true(allowed("https://b", "a", " https://c  https://B "));
    assert_true(allowed("https://anybody", "a", "*"));
    assert_true(allowed("null", "a", "null"));
    assert_false(allowed("https://a", "a", "https://b"));
    assert_false(allowed("https://b", "a", "https://bb https://b:8"));
    assert_true(allowed(NULL, "a", "https://b"));
}

static void tags_and_tokens_are_found_in_lists(void **state) {
    (void)state;
    gt_bytes tag = gt_bytes_text("\"x\"");
    assert_true(gt_request_tag_matches(gt_bytes_text("\"x\""), tag));
    assert_true(gt_request_tag_matches(gt_bytes_text("\"y\" ,\tW/\"x\""), tag));
    assert_true(gt_request_tag_matches(gt_bytes_text(" * "), tag));
    assert_false(gt_request_tag_matches(gt_bytes_text("x, \"xx\", W/, \"\""), tag));
    assert_false(gt_request_tag_matches(gt_bytes_text(""), tag));
    assert_true(gt_request_list_has(gt_bytes_text("a, B ,c"), "b"));
    assert_false(gt_request_list_has(gt_bytes_text("ab, bc"), "b"));
    assert_false(gt_request_list_has((gt_bytes){0}, "b"));
}

/* ---- addresses ---- */

static void address(const char *text, uint8_t out[GT_NET_ADDRESS_SIZE]) {
    struct sockaddr_storage peer;
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    memset(&peer, 0, sizeof peer);
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        memcpy(&peer, &four, sizeof four);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
        memcpy(&peer, &six, sizeof six);
    }
    gt_address_of(&peer, out);
}

static void same_customer(const char *a, const char *b, bool same) {
    uint8_t first[GT_NET_ADDRESS_SIZE], second[GT_NET_ADDRESS_SIZE];
    address(a, first);
    address(b, second);
    assert_int_equal(memcmp(first, second, sizeof first) == 0, same);
}

static void an_ipv6_customer_has_many_addresses(void **state) {
    (void)state;
    same_customer("1.2.3.4", "::ffff:1.2.3.4", true);
    same_customer("1.2.3.4", "1.2.3.5", false);
    same_customer("2001:db8:1:2::1", "2001:db8:1:2:ffff::7", true);
    same_customer("2001:db8:1:2::1", "2001:db8:1:3::1", false);
    same_customer("::1", "127.0.0.1", false);
}

static void connections_are_counted_by_address(void **state) {
    enum { ADDRESSES = 300, MAX = 3 };
    static const uint8_t hash_key[GT_SIPHASH_KEY_SIZE] = {1, 2, 3};
    gt_addresses addresses;
    test_alloc memory;
    uint32_t counts[ADDRESSES] = {0}, rows[ADDRESSES] = {0}, row;
    test_random random;
    (void)state;
    test_random_init(&random, "addresses");
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_addresses_init(&addresses, &memory.alloc, hash_key);
    for (int i = 0; i < 20000; i++) {
        uint8_t one[GT_NET_ADDRESS_SIZE] = {0};
        uint32_t which = test_random_below(&random, ADDRESSES);
        memcpy(one, &which, sizeof which);
        if (test_random_below(&random, 2) == 0) {
            goat_status status = gt_addresses_enter(&addresses, one, MAX, &row);
            assert_int_equal(status, counts[which] < MAX ? GOAT_OK : GOAT_TOO_LARGE);
            assert_true(counts[which] == 0 || row == rows[which]);
            if (status == GOAT_OK) counts[which]++;
            rows[which] = row;
        } else if (counts[which] > 0) {
            gt_addresses_leave(&addresses, rows[which]);
            counts[which]--;
        }
    }
    assert_true(addresses.row_count <= ADDRESSES);
    gt_addresses_free(&addresses);
    test_alloc_assert_empty(&memory);
}

/* ---- timers ---- */

static void timers_fire_in_order(void **state) {
    enum { TIMERS = 200 };
    gt_timers timers;
    gt_timer all[TIMERS];
    test_random random;
    (void)state;
    test_random_init(&random, "timers");
    memset(all, 0, sizeof all);
    gt_timers_init(&timers, &gt_alloc_system);
    assert_int_equal(gt_timers_next_us(&timers), UINT64_MAX);
    assert_true(gt_timers_reserve(&timers, TIMERS));
    for (uint64_t now = 0; now < 5000; now++) {
        for (int i = 0; i < 3; i++) {
            gt_timer *one = &all[test_random_below(&random, TIMERS)];
            bool ends = test_random_below(&random, 4) == 0;
            gt_timers_set(&timers, one, ends ? UINT64_MAX : now + 1 + test_random_below(&random, 300));
        }
        uint64_t earliest = UINT64_MAX;
        for (int i = 0; i < TIMERS; i++) {
            if (all[i].place != 0 && all[i].due_us < earliest) earliest = all[i].due_us;
        }
        assert_int_equal(gt_timers_next_us(&timers), earliest);
        gt_timer *due;
        uint64_t last = 0;
        while ((due = gt_timers_take(&timers, now)) != NULL) {
            assert_true(due->due_us >= last && due->due_us <= now && due->place == 0);
            last = due->due_us;
        }
        assert_true(gt_timers_next_us(&timers) > now);
    }
    gt_timers_free(&timers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_has_its_parts),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(urls_have_limits),
        cmocka_unit_test(only_plain_paths_name_files),
        cmocka_unit_test(pages_may_connect_to_their_own_host),
        cmocka_unit_test(a_list_of_origins_says_who_may),
        cmocka_unit_test(tags_and_tokens_are_found_in_lists),
        cmocka_unit_test(an_ipv6_customer_has_many_addresses),
        cmocka_unit_test(connections_are_counted_by_address),
        cmocka_unit_test(timers_fire_in_order),
    };
    return cmocka_run_group_tests_name("net_rules", tests, NULL, NULL);
}
