/* cgan.h is a C header: this file compiles as C11 with nothing before it. */
#include "cgan.h"

int32_t cgan_test_abi_from_c(void);

int32_t cgan_test_abi_from_c(void) { return cgan_abi_version(); }
