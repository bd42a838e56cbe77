/* Files, names, and what a loss of power does to them. */
#include "port/sim/disk.h"

#include "base/assert.h"

#include <string.h>

enum { SECTOR = 512 }; /* what a disk writes as a whole */

/* ---- Files ----------------------------------------------------------------------------------- */

gt_sim_inode *gt_sim_inode_new(gt_sim_disk *disk) {
    gt_sim_inode *inode = gt_new(&disk->alloc, 1, sizeof *inode);
    if (inode != NULL) {
        inode->references = 1;
    }
    return inode;
}

void gt_sim_inode_release(gt_sim_disk *disk, gt_sim_inode *inode) {
    GOAT_ASSERT(inode->references != 0);
    if (--inode->references == 0) {
        gt_free(&disk->alloc, inode->data);
        gt_free(&disk->alloc, inode);
    }
}

bool gt_sim_inode_append(gt_sim_disk *disk, gt_sim_inode *inode, const uint8_t *data, size_t len) {
    if (len == 0) {
        return true;
    }
    if (len > inode->capacity - inode->len) {
        if (len > SIZE_MAX / 2 - inode->len) {
            return false;
        }
        size_t capacity = (inode->len + len) * 2;
        uint8_t *grown = gt_resize(&disk->alloc, inode->data, capacity, 1);
        if (grown == NULL) {
            return false;
        }
        inode->data = grown;
        inode->capacity = capacity;
    }
    memcpy(inode->data + inode->len, data, len);
    inode->len += len;
    return true;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* The first entry that is not before `name`. */
static size_t place_of(const gt_sim_disk *disk, const char *name) {
    size_t low = 0, high = disk->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(disk->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const gt_sim_disk *disk, size_t place, const char *name) {
    return place < disk->entry_count && strcmp(disk->entries[place].name, name) == 0;
}

gt_sim_inode *gt_sim_find(const gt_sim_disk *disk, const char *name) {
    size_t place = place_of(disk, name);
    return is_at(disk, place, name) ? disk->entries[place].inode : NULL;
}

bool gt_sim_link(gt_sim_disk *disk, const char *name, gt_sim_inode *inode) {
    size_t place = place_of(disk, name);
    if (is_at(disk, place, name)) {
        gt_sim_inode_release(disk, disk->entries[place].inode);
        disk->entries[place].inode = inode;
        return true;
    }
    char *copy = gt_copy(&disk->alloc, name, strlen(name));
    if (copy == NULL || !gt_reserve(&disk->alloc, (void **)&disk->entries, disk->entry_count, &disk->entry_capacity,
                                    sizeof *disk->entries)) {
        gt_free(&disk->alloc, copy);
        return false;
    }
    gt_sim_entry *entry = &disk->entries[place];
    memmove(entry + 1, entry, (disk->entry_count - place) * sizeof *entry);
    *entry = (gt_sim_entry){copy, inode};
    disk->entry_count++;
    return true;
}

void gt_sim_unlink(gt_sim_disk *disk, const char *name) {
    size_t place = place_of(disk, name);
    GOAT_ASSERT(is_at(disk, place, name));
    gt_sim_entry *entry = &disk->entries[place];
    gt_sim_inode_release(disk, entry->inode);
    gt_free(&disk->alloc, entry->name);
    disk->entry_count--;
    memmove(entry, entry + 1, (disk->entry_count - place) * sizeof *entry);
}

uint64_t gt_sim_used(const gt_sim_disk *disk) {
    uint64_t used = 0;
    for (size_t i = 0; i < disk->entry_count; i++) {
        used += disk->entries[i].inode->len;
    }
    return used;
}

/* ---- The disk -------------------------------------------------------------------------------- */

gt_sim_disk *gt_sim_disk_new(const gt_alloc *alloc, uint64_t seed) {
    gt_sim_disk *disk = gt_new(alloc, 1, sizeof *disk);
    if (disk != NULL) {
        disk->alloc = *alloc;
        gt_sim_random_init(&disk->random, seed);
    }
    return disk;
}

void gt_sim_disk_free(gt_sim_disk *disk) {
    if (disk == NULL) {
        return;
    }
    GOAT_ASSERT(disk->storages == NULL);
    while (disk->entry_count != 0) {
        gt_sim_unlink(disk, disk->entries[disk->entry_count - 1].name);
    }
    gt_alloc alloc = disk->alloc;
    gt_free(&alloc, disk->entries);
    gt_free(&alloc, disk);
}

gt_sim_options *gt_sim_options_of(gt_sim_disk *disk) { return &disk->options; }

uint64_t gt_sim_operations(const gt_sim_disk *disk) { return disk->operations; }

/* ---- Loss of power --------------------------------------------------------------------------- */

/* What of the unsynced end stays: all, nothing, or any prefix; the system writes when it likes. */
static size_t surviving_length(gt_sim_disk *disk, const gt_sim_inode *inode) {
    size_t unsynced = inode->len - inode->durable;
    switch (gt_sim_random_below(&disk->random, 4)) {
    case 0: return inode->len;
    case 1: return inode->durable;
    default: return inode->durable + (size_t)gt_sim_random_below(&disk->random, (uint64_t)unsynced + 1);
    }
}

/* The length reached the disk before some of the sectors did: they hold zeros or what lay there before. */
static void spoil_sectors(gt_sim_disk *disk, gt_sim_inode *inode) {
    for (size_t at = inode->durable; at < inode->len;) {
        size_t end = (at / SECTOR + 1) * SECTOR;
        end = end < inode->len ? end : inode->len;
        uint64_t fate = gt_sim_random_below(&disk->random, 8);
        for (size_t i = at; fate < 2 && i < end; i++) {
            inode->data[i] = fate == 0 ? 0 : (uint8_t)gt_sim_random_u64(&disk->random);
        }
        at = end;
    }
}

static void lose_unsynced(gt_sim_disk *disk, gt_sim_inode *inode) {
    if (inode->len != inode->durable) {
        inode->len = surviving_length(disk, inode);
        if (disk->options.damage_unsynced && gt_sim_random_below(&disk->random, 2) == 0) {
            spoil_sectors(disk, inode);
        }
    }
    inode->durable = inode->len;
}

void gt_sim_kill(gt_sim_disk *disk) {
    for (gt_sim_storage_state *storage = disk->storages; storage != NULL; storage = storage->next) {
        gt_sim_kill_storage(storage);
    }
}

void gt_sim_crash(gt_sim_disk *disk) {
    gt_sim_kill(disk);
    for (size_t i = 0; i < disk->entry_count; i++) {
        lose_unsynced(disk, disk->entries[i].inode);
    }
}

/* ---- Looking and spoiling -------------------------------------------------------------------- */

gt_bytes gt_sim_file(const gt_sim_disk *disk, const char *name) {
    const gt_sim_inode *inode = gt_sim_find(disk, name);
    if (inode == NULL) {
        return gt_bytes_of(NULL, 0);
    }
    return inode->data == NULL ? gt_bytes_of("", 0) : gt_bytes_of(inode->data, inode->len);
}

uint64_t gt_sim_durable_length(const gt_sim_disk *disk, const char *name) {
    const gt_sim_inode *inode = gt_sim_find(disk, name);
    return inode == NULL ? 0 : inode->durable;
}

const char *gt_sim_name_at(const gt_sim_disk *disk, size_t index) {
    return index < disk->entry_count ? disk->entries[index].name : NULL;
}

bool gt_sim_remove_file(gt_sim_disk *disk, const char *name) {
    if (gt_sim_find(disk, name) == NULL) {
        return false;
    }
    gt_sim_unlink(disk, name);
    return true;
}

bool gt_sim_copy_files(gt_sim_disk *disk, const gt_sim_disk *from) {
    GOAT_ASSERT(disk->storages == NULL);
    while (disk->entry_count != 0) {
        gt_sim_unlink(disk, disk->entries[disk->entry_count - 1].name);
    }
    disk->exists = from->exists;
    for (size_t i = 0; i < from->entry_count; i++) {
        const gt_sim_entry *entry = &from->entries[i];
        if (!gt_sim_put_file(disk, entry->name, gt_bytes_of(entry->inode->data, entry->inode->len))) {
            return false;
        }
        gt_sim_find(disk, entry->name)->secret = entry->inode->secret;
    }
    return true;
}

bool gt_sim_put_file(gt_sim_disk *disk, const char *name, gt_bytes bytes) {
    gt_sim_inode *inode = gt_sim_inode_new(disk);
    if (inode == NULL) {
        return false;
    }
    if (!gt_sim_inode_append(disk, inode, bytes.data, bytes.len) || !gt_sim_link(disk, name, inode)) {
        gt_sim_inode_release(disk, inode);
        return false;
    }
    inode->durable = inode->len;
    disk->exists = true;
    return true;
}

void gt_sim_flip_bit(gt_sim_disk *disk, const char *name, uint64_t bit) {
    gt_sim_inode *inode = gt_sim_find(disk, name);
    GOAT_ASSERT(inode != NULL);
    GOAT_ASSERT(bit / 8 < inode->len);
    inode->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

void gt_sim_cut_file(gt_sim_disk *disk, const char *name, uint64_t length) {
    gt_sim_inode *inode = gt_sim_find(disk, name);
    GOAT_ASSERT(inode != NULL);
    GOAT_ASSERT(length <= inode->len);
    inode->len = (size_t)length;
    inode->durable = inode->durable < inode->len ? inode->durable : inode->len;
}
