#ifndef NCL_BASE_CLOCK_H
#define NCL_BASE_CLOCK_H

#include <stdint.h>

uint64_t ncl_clock_ns(void); /* monotonic */

#endif
