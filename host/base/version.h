/* The library's version as text: of ncl_version, and as records, reports and caches have it. */
#ifndef NCL_BASE_VERSION_H
#define NCL_BASE_VERSION_H

#include "nextcl.h"

#define NCL_TEXT_(x) #x
#define NCL_TEXT(x) NCL_TEXT_(x)
#define NCL_VERSION_TEXT                                                                           \
    NCL_TEXT(NCL_VERSION_MAJOR) "." NCL_TEXT(NCL_VERSION_MINOR) "." NCL_TEXT(NCL_VERSION_PATCH)

#endif
