/* A schema from its definition as JSON. */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include "schema/schema.h"

goat_status test_schema_parse(const gt_alloc *alloc, const char *json, gt_schema **schema, gt_diag *diag);

/* Fails the test where there is anything wrong with it; end it with gt_schema_free(). */
gt_schema *test_schema(const char *json);

#endif
