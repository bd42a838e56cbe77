/* The disk is made with the kind options; tests change them through gt_sim_options_of(). */
#include "support/test_sim.h"

#include "support/test.h"

#include "support/test_io.h"

void test_sim_open(test_sim *f) {
    assert_int_equal(gt_sim_storage(f->disk, &f->storage, NULL), GOAT_OK);
    assert_int_equal(test_io_lock(&f->storage, GOAT_IO_CREATE), GOAT_OK);
}

void test_sim_init(test_sim *f, uint64_t seed) {
    test_alloc_init(&f->memory, TEST_ALLOC_NEVER);
    f->disk = gt_sim_disk_new(&f->memory.alloc, seed);
    test_sim_open(f);
}

void test_sim_free(test_sim *f) {
    f->storage.close(f->storage.context);
    gt_sim_disk_free(f->disk);
    test_alloc_assert_empty(&f->memory);
}

void test_sim_crash(test_sim *f) {
    gt_sim_crash(f->disk);
    f->storage.close(f->storage.context);
    test_sim_open(f);
}
