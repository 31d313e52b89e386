#include "session/advised.h"
#include "support/suite.h"

static struct advised a;

static void open_all(void)
{
    advised_open(&a);
}

static void close_all(void)
{
    advised_close(&a);
}

/* A record of this device and its kernels about the whole network; its strings live in `texts`. */
struct block_texts {
    char key[NCL_NET_KEY], kernels[NCL_HASH_TEXT], klass[64];
};

static struct ncl_record block_record(struct block_texts *texts)
{
    struct ncl_session *session = advised_session_as(&a, 0);
    struct ncl_record record = sample_record();

    ck_assert_int_eq(session->config.channel_block, 8);
    MUST(ncl_session_net_key(session->schedule, &a.f.device.caps, texts->key));
    ck_assert_int_eq(strncmp(texts->key, "net ", 4), 0);
    ncl_session_destroy(session);
    ncl_kernels_hash(texts->kernels);
    record.problem = texts->key, record.algorithm = "session", record.params = "CB=4";
    record.kernel = texts->kernels;
    ncl_fingerprint_of(&a.f.device.caps, texts->klass, &record.on);
    return record;
}

static void expect_block(int asked, int block)
{
    struct ncl_session *session = advised_session_as(&a, asked);

    ck_assert_int_eq(session->config.channel_block, block);
    ck_assert_int_eq(session->block.block, asked || block == 8 ? 0 : block);
    advised_run(&a, session);
    ncl_session_destroy(session);
}

START_TEST(a_record_decides_the_channel_block_that_nobody_asked_for)
{
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
    expect_block(8, 8); /* asked for */
}
END_TEST

START_TEST(a_block_of_another_device_or_other_kernels_is_passed_over)
{
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-9, record.default_seconds = 1;
    record.kernel = "dead";
    ck_assert(ncl_records_put(a.store, &record));
    record.kernel = texts.kernels;
    record.on.device = "another one";
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 8);
}
END_TEST

START_TEST(a_block_of_others_gives_way_to_what_was_tuned_here)
{
    const struct ncl_point point = another_point();
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-9, record.default_seconds = 1;
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    expect_block(0, 8);
    record.origin = NCL_ORIGIN_MEASURED;
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("block");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, a_record_decides_the_channel_block_that_nobody_asked_for);
    tcase_add_test(tests, a_block_of_another_device_or_other_kernels_is_passed_over);
    tcase_add_test(tests, a_block_of_others_gives_way_to_what_was_tuned_here);
    return ncl_run_suite(tests, "block");
}
