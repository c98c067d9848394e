/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka's headers in the order it wants, and what every test uses. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/err.h"

#define assert_ok(expression) assert_int_equal((expression), ERR_OK)

/* One test of the table a file hands to RUN_TESTS. */
#define TEST(function) cmocka_unit_test(function)

#define RUN_TESTS(tests) cmocka_run_group_tests((tests), NULL, NULL)

#endif
