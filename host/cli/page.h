/* What the files of the page share. A chart is rows of text with a drawing in the middle: drawings
 * stretch, text does not, so that the page reads on a phone as well. */
#ifndef NCL_CLI_PAGE_H
#define NCL_CLI_PAGE_H

#include "html.h"
#include "inspect.h"
#include "layers.h"
#include "tune.h"

/* Charts show the layers with the most at stake; the table has them all. */
#define PAGE_ROWS 40

void page_style(struct html *page);
/* Heading of a section, and what its chart shows. */
void page_section(struct html *page, const char *id, const char *title, const char *caption);
/* <span class="dot CLASS"> and its name, for what colours mean. */
void page_key(struct html *page, const char *class, const char *name);
/* The layers' times before and after; false: not known. After is before where nothing was kept. */
bool page_times(const json_t *layer, double *before, double *after);
bool page_default_is_best(const json_t *layer); /* or nothing else was tried */
/* "0.123": so many digits as a time of this size deserves. */
const char *page_ms(double ms, char text[32]);

void page_bars(struct html *page, const json_t *report);       /* default -> tuned */
void page_peaks(struct html *page, const json_t *report);      /* shares of the device's peak */
void page_changes(struct html *page, const json_t *report);    /* against the noise */
void page_candidates(struct html *page, const json_t *report); /* how far apart they lie */
void page_convergence(struct html *page, const json_t *report);
void page_rejects(struct html *page, const json_t *report);
void page_choices(struct html *page, const json_t *report);
void page_table(struct html *page, const json_t *report);

#endif
