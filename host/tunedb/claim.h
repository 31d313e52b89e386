/* Names that one holder at a time has, among all processes that use a store: runs of the tuner, so
 * that two of the same network do not write one journal. */
#ifndef NCL_TUNEDB_CLAIM_H
#define NCL_TUNEDB_CLAIM_H

#include "tunedb/store.h"

/* false: somebody else has it. It is given back by ncl_store_unclaim, and whenever the process
 * ends, however it does. Where the store keeps nothing, or the system has no such locks, everybody
 * gets what they ask for. store may be NULL. */
bool ncl_store_claim(struct ncl_store *store, const char *name, int *claim);
void ncl_store_unclaim(int claim);

#endif
