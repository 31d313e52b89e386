/* What the files of the tuner share: one network at one channel block, and the run over it. */
#ifndef NCL_SESSION_TUNE_PARTS_H
#define NCL_SESSION_TUNE_PARTS_H

#include "search/search.h"
#include "session/advice.h"
#include "session/tune.h"
#include "session/worker.h"
#include "tunedb/records.h"

#define NCL_TUNE_SEEDS 8
#define NCL_TUNE_FULL_TRIALS 300 /* per problem, effort full */

/* Beside struct ncl_task, whose index it shares. */
struct ncl_tune_layer {
    const char *problem; /* signature */
    const char *op, *kind;
    const char **names; /* of all layers that have the problem */
    int name_count;
    struct ncl_point standard; /* what a session without records runs */
    bool proven;               /* it works on this device and driver */
    double standard_seconds;   /* of one launch; 0: not measured */
    double start_seconds;      /* of a bad start, when it was drawn */
    double points;             /* legal ones; < 0: not counted */
    double inside[2];  /* seconds of one launch inside the network, of the standard point and of the
                          winner; 0: not known */
    double seed_at;    /* when its most promising seed had been evaluated; 0: it was not */
    bool kept;         /* the winner is what sessions get from now on */
    char dropped[160]; /* why it is not, though the search decided for it; "" otherwise */
};

/* A note of the search, and when: seconds of tuning that it and those before it took. */
struct ncl_tune_event {
    struct ncl_search_note note;
    double at;
};

/* Two sessions timed in turn, host tensors in, host tensors out. */
struct ncl_tune_pair {
    double median[2], spread[2]; /* seconds; 0: not timed */
    double gain, error;          /* median of first minus second, and its standard error */
    int rounds;
    bool *loses;  /* per task: the second is slower inside the network, by more than the noise */
    bool differs; /* not every run had the same outputs, though all points compute the same bits */
};

/* What the store did not take yet, see tune_late.c. */
struct ncl_tune_late {
    struct ncl_record_list records;
    size_t put;            /* of which so many are there by now */
    struct ncl_text lines; /* of the journal, each with a NUL at its end */
    bool begins;           /* they replace what the journal holds */
    uint64_t tried;        /* ncl_clock_ns of the last time, in vain */
    double waited;         /* seconds at the end of the run */
};

/* A network at one channel block and precision. */
struct ncl_tune_net {
    struct ncl_tuning *tuning;
    int channel_block;
    ncl_precision precision;
    char key[NCL_NET_KEY];  /* "net <hash>", of the device's own channel block */
    struct ncl_arena arena; /* texts and arrays of this struct, but for the growing ones */
    struct ncl_graph *graph;
    struct ncl_schedule *schedule;
    int *task_of_step; /* -1: nothing to choose */
    struct ncl_task *tasks;
    struct ncl_tune_layer *layers;
    struct ncl_search_task *results;
    int count;
    struct ncl_tune_event *events;
    size_t event_count, event_capacity;
    struct ncl_search_note *known, *resumed; /* of the store, and of an interrupted run's journal */
    size_t known_count, known_capacity, resumed_count, resumed_capacity;
    double resumed_seconds;
    int recalled_starts;     /* of the tasks: a whole journal has them all */
    struct ncl_trial *begun; /* with a STARTED record */
    size_t begun_count, begun_capacity;
    const char *name;     /* the journal's; NULL: none yet */
    int claim;            /* of that name, while name is not NULL: see tunedb/claim.h */
    bool journalled;      /* the journal has a beginning */
    double search_budget; /* as it was when the run began; 0: none */
    double whole_budget;  /* of which that is a part: the caller's; 0: none */
    bool budget_known;
    size_t cold_bytes;
    double macs;           /* of an inference */
    double planned_trials; /* of a fixed sample; 0: it is none, or nobody counted */
    bool searched, verified;
    bool unchecked; /* not verified: nothing was changed, and the budget was used up */
    int unkept;     /* winners and other records that the store did not take */
    struct ncl_tune_late late;
    /* useful: until the portfolio's best was known for most of the network's time; 0: never */
    double search_seconds, useful_seconds;
    double measured_at;        /* when the standard session had been timed; 0: it was not */
    struct ncl_tune_pair pair; /* standard and tuned */
    double start_seconds;      /* end to end, of what the search began with; 0: not measured */
    char verdict[160];
};

/* What sessions run, see ncl_tune_make_session. */
enum ncl_tune_points { NCL_TUNE_STANDARD, NCL_TUNE_START, NCL_TUNE_TUNED };

/* A whole network's time with some choice for the session, for the report. */
struct ncl_tune_choice {
    int channel_block;
    ncl_precision precision;
    double standard_seconds, tuned_seconds; /* 0: not measured */
    bool tuned, verified, chosen;
    char why[96];
};

struct ncl_tuning {
    const struct ncl_tune_config *config;
    ncl_tune_options options;
    const struct ncl_graph *model;
    const struct ncl_dims *inputs;
    int input_count;
    const struct ncl_log *log;
    uint64_t begin;           /* ncl_clock_ns */
    struct ncl_device device; /* the config's with a queue of its own, profiled if possible */
    bool own_queue;
    bool budget_given;                 /* by the caller, rather than the effort's own */
    struct ncl_session_config session; /* math resolved */
    struct ncl_store *store;           /* NULL: nothing is kept */
    struct ncl_trials *trials;         /* one of the two evaluates */
    struct ncl_worker *worker;
    int restarts;
    struct ncl_evaluator evaluator; /* of either; journalled */
    struct ncl_evaluator inner;
    struct ncl_tune_net *net;   /* that is worked on */
    ncl_tune_progress progress; /* last one */
    bool cancelled;
    int unkept;         /* of networks that are closed */
    char boot[40];      /* of the system, which of its boots this is; "": it does not say */
    double compiled_at; /* when the driver's compiler was last seen to work; 0: nobody looked */
    double peak_gflops;
    double create_seconds, verify_seconds; /* measured on the way: what the end will take */
    struct ncl_tune_choice choices[4];
    int choice_count;
};

double ncl_tune_elapsed(const struct ncl_tuning *tuning); /* seconds since the call */
/* Passes progress on. NCL_ERROR_CANCELLED once the caller asked to stop. */
ncl_status ncl_tune_tell(struct ncl_tuning *tuning);

/* tune.c: one network.
 * The standard session, timed: the yardstick. */
ncl_status ncl_tune_make_standard(struct ncl_tune_net *net, struct ncl_session **session);
/* Search and end within so many seconds (<= 0: as long as it takes). */
ncl_status ncl_tune_one(struct ncl_tune_net *net, struct ncl_session *standard, double seconds);
/* That making, verifying and timing the winners' session will take. */
double ncl_tune_end_seconds(const struct ncl_tune_net *net);
double ncl_tune_seconds_left(const struct ncl_tuning *tuning); /* 0: there is no end */

/* tune_choice.c: choices of a whole session. */
bool ncl_tune_tries_sessions(const struct ncl_tuning *tuning);
ncl_status ncl_tune_estimate_blocks(struct ncl_tune_net *main);
/* Worth tuning too, of those that were estimated; NULL: none is. */
struct ncl_tune_choice *ncl_tune_close_block(struct ncl_tuning *tuning);
/* Tunes it, if there is time to make its sessions and to search at all. */
ncl_status ncl_tune_other_block(struct ncl_tune_net *main, struct ncl_tune_choice *other);
void ncl_tune_choose_session(struct ncl_tune_net *main);
/* Halves change results, so that they stay the user's choice: measured, not chosen. */
ncl_status ncl_tune_measure_storage(struct ncl_tune_net *net);

/* tune_net.c: the network's distinct problems that leave a choice, with their candidates. */
ncl_status ncl_tune_net_open(struct ncl_tuning *tuning, int channel_block, ncl_precision precision,
                             struct ncl_tune_net *net);
void ncl_tune_net_close(struct ncl_tune_net *net);
void ncl_tune_count_points(struct ncl_tune_net *net); /* for reports; takes up to a second */
/* Points of a fixed sample, once all are counted. */
double ncl_tune_sample_size(const struct ncl_tune_net *net);
/* A session whose problems run the points named; others what the planner chooses without records.
 * Tombstones bar points as in any session. */
ncl_status ncl_tune_make_session(struct ncl_tune_net *net, enum ncl_tune_points points,
                                 struct ncl_session **session);
/* Is there a winner for the task that beats what ran before, and is not given up? */
bool ncl_tune_wins(const struct ncl_tune_net *net, int task);

/* tune_standard.c: what runs without records.
 * The planner's choice for the task, as tombstones and this run leave it. */
ncl_status ncl_tune_choose_standard(const struct ncl_tune_net *net, int task,
                                    struct ncl_point *point);
/* The standard session. Points that have not been seen to work run in other processes first, where
 * there are any, and those that fail are replaced. NCL_ERROR_DEVICE: nothing is left of a problem.
 */
ncl_status ncl_tune_make_untried(struct ncl_tune_net *net, struct ncl_session **session);

/* tune_store.c: what is known, and the run's journal. */
ncl_status ncl_tune_recall(struct ncl_tune_net *net); /* seeds, known, resumed */
/* Did it fail on this device and driver before? */
bool ncl_tune_is_dead(const struct ncl_tune_net *net, int task, const struct ncl_point *point);
/* The most promising of a task's seeds; NULL: there is none, or it is the start. */
const struct ncl_point *ncl_tune_first_seed(const struct ncl_tune_net *net, int task);
/* A point that failed before the search begins: it is not tried again. */
ncl_status ncl_tune_avoid(struct ncl_tune_net *net, const struct ncl_search_note *note);
/* The journal of a run; what is resumed counts as remembered. */
ncl_status ncl_tune_begin(struct ncl_tune_net *net);
double ncl_tune_spent(const struct ncl_tune_net *net); /* seconds, by the notes' costs */
/* The seconds that the search divides, beside what it used up: a resumed one goes on with its own.
 */
void ncl_tune_set_budget(struct ncl_tune_net *net, double seconds);
ncl_status ncl_tune_remember(struct ncl_tune_net *net, const struct ncl_search_note *note);
void ncl_tune_end_journal(const struct ncl_tune_net *net);
/* Of the run's journal: another run may have it from now on. */
void ncl_tune_give_name_back(struct ncl_tune_net *net);

/* tune_records.c */
void ncl_tune_record(struct ncl_tune_net *net, const struct ncl_search_note *note);
/* Of a trial that began with a worker and never ended: was that more than its tuner being killed? A
 * machine that went down may have been taken along; the second time it was. */
bool ncl_tune_is_deadly(const struct ncl_tuning *tuning, const char *why);
void ncl_tune_record_started(struct ncl_tune_net *net, const struct ncl_trial *trials, int count);
/* Was the point measured, by this run or an earlier one? Then it is beyond suspicion. */
bool ncl_tune_is_measured(const struct ncl_tune_net *net, int task, const struct ncl_point *point);
/* A run that ended by itself knows that what it began and did not finish killed nobody. */
void ncl_tune_forget_started(struct ncl_tune_net *net);
/* Sessions get the point at once where it is clearly the best that is known: a run that is killed
 * leaves what it found. */
void ncl_tune_choose_early(struct ncl_tune_net *net, const struct ncl_search_note *note);
void ncl_tune_tombstone(struct ncl_tune_net *net, int task, const char *why);
/* What an earlier run chose and this one did not measure is taken for the winner, unless this one
 * has a better: a short run does not undo a long one. Before the winners are judged in the network.
 */
void ncl_tune_stand_by_choices(struct ncl_tune_net *net);
/* Chooses each task's winner, or its standard point. Of an incomplete run only winners that beat
 * what is chosen: the rest was not looked at long enough. */
void ncl_tune_choose(struct ncl_tune_net *net, bool complete);
/* What a session of the network takes with the choice; chosen: sessions make it from now on. */
void ncl_tune_record_session(struct ncl_tune_net *net, const struct ncl_tune_choice *choice);

/* tune_late.c: what the store takes when it can.
 * false: there is still something that it did not take. */
bool ncl_tune_write_late(struct ncl_tune_net *net);
/* At once, or later: after what was put before. */
void ncl_tune_put(struct ncl_tune_net *net, const struct ncl_record *record);
/* Of the run's journal, each line with a NUL at its end; begins: in the place of what it holds.
 * false: not written so far. */
bool ncl_tune_put_lines(struct ncl_tune_net *net, const struct ncl_text *lines, bool begins);
/* At the end of a run: waits for a while if the store is locked. false: it still is, or there is
 * something that it does not take. */
bool ncl_tune_settle(struct ncl_tune_net *net);
/* Counts what the store never took, says so, and forgets it. */
void ncl_tune_drop_late(struct ncl_tune_net *net);

/* tune_journal.c: lines of the journal. */
struct ncl_tune_line {
    char what; /* 'h' whole budget, 'b' the search's, 'w' start, 's' seed, 'k' known, 'n' note */
    struct ncl_search_note note;
};
void ncl_tune_write_line(const struct ncl_tune_line *line, struct ncl_text *text);
/* note.why points into the line. false: not such a line. */
bool ncl_tune_read_line(char *text, struct ncl_tune_line *line);

/* tune_evaluate.c: the evaluator, in a worker or here; it may be open already. */
ncl_status ncl_tune_evaluate_open(struct ncl_tune_net *net);
void ncl_tune_evaluate_close(struct ncl_tuning *tuning);
/* Have the most promising points been measured where most of the network's time lies? While nobody
 * knows where it lies: where most of the work does. */
bool ncl_tune_is_useful(const struct ncl_tune_net *net);
/* When it became useful; needs the standard session's times. */
void ncl_tune_note_useful(struct ncl_tune_net *net);
/* Goes on from where the run is, for so many seconds. until_useful: at most, and no finals. */
ncl_status ncl_tune_search(struct ncl_tune_net *net, double budget, bool until_useful);

/* tune_doubt.c: failures that need not be the candidate's fault.
 * After trials were prepared. Anything but NCL_OK: the driver does not compile at all. */
ncl_status ncl_tune_doubt(struct ncl_tuning *tuning, struct ncl_trial *trials, int count);
/* Did one that was right before take its worker along, or seem to? */
bool ncl_tune_deserves_another(const struct ncl_tuning *tuning, const struct ncl_trial *trial);
ncl_status ncl_tune_time_again(struct ncl_tuning *tuning, struct ncl_trial *trial, int launches,
                               struct ncl_timing *timings);

/* tune_worst.c: bad starts, legal and surviving. */
ncl_status ncl_tune_start_from_worst(struct ncl_tune_net *net);

/* tune_whole.c: whole sessions, timed and verified.
 * Times the sessions in turn until so many seconds or rounds are over, or the difference is beyond
 * doubt; at least 3 rounds. sessions[1] may be NULL. Fills the layers' `inside`.
 * NCL_ERROR_MISMATCH: a session that ran alone did not repeat its own outputs. */
ncl_status ncl_tune_time_pair(struct ncl_tune_net *net, struct ncl_session *const sessions[2],
                              double seconds, int rounds, struct ncl_tune_pair *pair);
/* NCL_ERROR_MISMATCH: *bad is the first step that differs from the oracle, -1 otherwise. */
ncl_status ncl_tune_verify(struct ncl_tune_net *net, struct ncl_session *session, int *bad);

/* tune_finish.c: the winners in a session of their own, verified, timed against the standard one;
 * those that do not hold there are dropped. seconds: that may be spent. */
ncl_status ncl_tune_finish(struct ncl_tune_net *net, struct ncl_session *standard, double seconds);

/* tune_report.c */
ncl_status ncl_tune_report(struct ncl_tuning *tuning, struct ncl_tune_net *net, char **json);

#endif
