/* core/db: databases of a network whose root key is somewhere else, and a server of which nothing is left but its key. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"

#include <string.h>

enum { CREATE = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD, THERE = GOAT_OPEN_NO_THREAD };

typedef struct fixture {
    test_machine authority, machine;
    uint8_t root_key[GT_PUBLIC_KEY_SIZE];
    gt_id network;
} fixture;

/* An authority with something in it, closed; and a machine that knows its root's key. */
static void begin(fixture *f) {
    test_handle handle;
    test_machine_init(&f->authority, 1);
    test_machine_init(&f->machine, 2);
    test_handle_open(&handle, &f->authority, CREATE);
    assert_int_equal(test_handle_create(&handle, "x", "{text: 'a'}"), GOAT_OK);
    const gt_database *database = gt_db_database(handle.db);
    memcpy(f->root_key, database->root.public_key, sizeof f->root_key);
    f->network = database->network;
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    f->machine.root_key = f->root_key;
}

static void end(fixture *f) {
    test_machine_free(&f->authority);
    test_machine_free(&f->machine);
}

static bool has_file(const test_machine *machine, const char *name) {
    return gt_sim_file(machine->disk, name).data != NULL;
}

static void assert_of_network(const fixture *f, const test_handle *handle) {
    assert_memory_equal(gt_db_database(handle->db)->network.bytes, f->network.bytes, GT_ID_SIZE);
}

static void a_new_replica_has_keys_of_its_own_but_no_root_key(void **state) {
    (void)state;
    fixture f;
    test_handle handle;
    gt_buf info;
    begin(&f);
    test_handle_open(&handle, &f.machine, CREATE);
    assert_of_network(&f, &handle);
    assert_false(gt_db_database(handle.db)->has_root);
    assert_true(has_file(&f.machine, "session.key"));
    assert_true(has_file(&f.machine, "network"));
    assert_false(has_file(&f.machine, "root.key"));
    gt_buf_init(&info, &gt_alloc_system);
    gt_db_info(handle.db, &info);
    gt_bytes root = {0};
    assert_true(gt_value_as_bytes(gt_map_find(gt_buf_bytes(&info), gt_bytes_text("root")), &root));
    assert_int_equal(root.len, GT_PUBLIC_KEY_SIZE);
    assert_memory_equal(root.data, f.root_key, GT_PUBLIC_KEY_SIZE);
    bool authority = true;
    assert_true(gt_value_as_bool(gt_map_find(gt_buf_bytes(&info), gt_bytes_text("authority")), &authority));
    assert_false(authority);
    gt_buf_free(&info);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    end(&f);
}

static void it_works_before_it_has_met_its_server(void **state) {
    (void)state;
    fixture f;
    test_handle handle;
    begin(&f);
    test_handle_open(&handle, &f.machine, CREATE);
    assert_int_equal(test_handle_create(&handle, "y", "{text: 'b'}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(test_handle_verify(&handle), 0);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_handle_open(&handle, &f.machine, THERE | GOAT_OPEN_NO_CHECKPOINT); /* the key is given again */
    test_handle_shows(&handle, "y", "{text: 'b'}");
    assert_int_equal(test_handle_set(&handle, "y", "text", "'c'"), GOAT_OK);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    f.machine.root_key = NULL; /* and need not be */
    test_handle_open(&handle, &f.machine, THERE);
    assert_of_network(&f, &handle);
    test_handle_shows(&handle, "y", "{text: 'c'}");
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    end(&f);
}

static void a_replica_that_a_crash_left_half_made_is_completed(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    uint64_t operations = 0;
    for (uint64_t at = 1; at < 40; at++) {
        test_machine machine;
        test_handle handle;
        test_machine_init(&machine, at);
        machine.root_key = f.root_key;
        gt_sim_options_of(machine.disk)->fail_operation = at;
        gt_sim_options_of(machine.disk)->fail_from_there_on = true;
        goat_status status = test_handle_try_open(&handle, &machine, CREATE);
        if (status == GOAT_OK) {
            operations = gt_sim_operations(machine.disk);
            (void)test_handle_end(&handle);
        }
        gt_sim_crash(machine.disk);
        gt_sim_options_of(machine.disk)->fail_operation = 0;
        test_handle_open(&handle, &machine, CREATE);
        assert_of_network(&f, &handle);
        assert_false(gt_db_database(handle.db)->has_root);
        assert_int_equal(test_handle_end(&handle), GOAT_OK);
        test_machine_free(&machine);
    }
    assert_true(operations > 0); /* the last ones succeeded */
    end(&f);
}

static void a_database_of_another_network_is_refused_and_left_alone(void **state) {
    (void)state;
    fixture f;
    test_handle handle;
    uint8_t other[GT_PUBLIC_KEY_SIZE] = {7};
    begin(&f);
    uint64_t length = gt_sim_file(f.authority.disk, "repos/data/goats.log").len;
    f.authority.root_key = other;
    assert_int_equal(test_handle_try_open(&handle, &f.authority, CREATE), GOAT_UNTRUSTED);
    assert_non_null(strstr(handle.diag.message, "another network"));
    f.authority.root_key = f.root_key;
    test_handle_open(&handle, &f.authority, THERE);
    assert_int_equal(gt_sim_file(f.authority.disk, "repos/data/goats.log").len, length);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    end(&f);
}

static void keep_only_root_key(test_machine *machine) {
    size_t at = 0;
    const char *name;
    while ((name = gt_sim_name_at(machine->disk, at)) != NULL) {
        char copy[128];
        if (strcmp(name, "root.key") == 0) {
            at++;
            continue;
        }
        assert_true(strlen(name) < sizeof copy);
        memcpy(copy, name, strlen(name) + 1);
        assert_true(gt_sim_remove_file(machine->disk, copy));
    }
    assert_int_equal(at, 1);
}

static void with_nothing_left_but_its_root_key_it_is_an_empty_server_of_its_network(void **state) {
    (void)state;
    fixture f;
    test_handle handle;
    begin(&f);
    keep_only_root_key(&f.authority);
    test_handle_open(&handle, &f.authority, CREATE);
    const gt_database *database = gt_db_database(handle.db);
    assert_of_network(&f, &handle);
    assert_true(database->has_root);
    assert_memory_equal(database->root.public_key, f.root_key, sizeof f.root_key);
    assert_int_equal(gt_keyring_role(database->keyring, &database->own.session), GT_ROLE_SERVER);
    assert_int_equal(test_handle_entries(&handle), 0);
    assert_int_equal(test_handle_create(&handle, "new", "{}"), GOAT_OK);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    end(&f);
}

static void a_root_key_of_another_network_is_no_replica(void **state) {
    (void)state;
    fixture f;
    test_handle handle;
    uint8_t other[GT_PUBLIC_KEY_SIZE] = {7};
    begin(&f);
    keep_only_root_key(&f.authority);
    f.authority.root_key = other;
    assert_int_equal(test_handle_try_open(&handle, &f.authority, CREATE), GOAT_UNTRUSTED);
    f.authority.root_key = f.root_key;
    test_handle_open(&handle, &f.authority, CREATE);
    assert_true(gt_db_database(handle.db)->has_root);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_replica_has_keys_of_its_own_but_no_root_key),
        cmocka_unit_test(it_works_before_it_has_met_its_server),
        cmocka_unit_test(a_replica_that_a_crash_left_half_made_is_completed),
        cmocka_unit_test(a_database_of_another_network_is_refused_and_left_alone),
        cmocka_unit_test(with_nothing_left_but_its_root_key_it_is_an_empty_server_of_its_network),
        cmocka_unit_test(a_root_key_of_another_network_is_no_replica),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
