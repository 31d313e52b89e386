#include "image/image.h"
#include "support/suite.h"

#include <string.h>

START_TEST(a_thousand_names_in_imagenets_order)
{
    static const struct {
        int index;
        const char *name;
    } known[] = {{0, "tench"},        {1, "goldfish"},       {207, "golden retriever"},
                 {281, "tabby"},      {285, "Egyptian cat"}, {340, "zebra"},
                 {504, "coffee mug"}, {817, "sports car"},   {999, "toilet tissue"}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ck_assert_msg(strstr(ncl_image_label(known[i].index), known[i].name) != NULL, "%d: %s",
                      known[i].index, ncl_image_label(known[i].index));
    for (int i = 0; i < 1000; i++)
        ck_assert(ncl_image_label(i) != NULL && ncl_image_label(i)[0] != 0);
    ck_assert_ptr_null(ncl_image_label(-1));
    ck_assert_ptr_null(ncl_image_label(1000));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("labels");

    tcase_add_test(tests, a_thousand_names_in_imagenets_order);
    return ncl_run_suite(tests, "labels");
}
