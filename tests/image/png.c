#include "image/images.h"
#include "support/suite.h"

START_TEST(every_kind_of_pixel)
{
    check_colours("tests/data/colours_16bit.png", 0, 0, 0);
    check_colours("tests/data/colours_interlaced.png", 0, 0, 0);
    check_shades("tests/data/shades_2bit.png", 4);
    check_shades("tests/data/shades_alpha16.png", 4);
}
END_TEST

/* Pixels of an index that the palette lacks are black; transparent ones keep their colour. */
START_TEST(palettes)
{
    struct ncl_image image = decode_file("tests/data/palette.png");
    ncl_tensor golden = load_golden("tests/data/palette.expected.npy");

    check_levels("palette.png", &image, golden.data, 0);
    check_colours("tests/data/colours_lacking.png", 0, 0, 0);
    ncl_image_free(&image);
    free(golden.data);
}
END_TEST

/* As Pillow has it. The pattern of grey16.png is three times rgb.png's red. */
START_TEST(grey_of_16_bits_is_clipped)
{
    struct ncl_image image = decode_file("tests/data/grey16.png");

    for (int i = 0; i < image.width * image.height * 3; i++) {
        const int x = i / 3 % image.width, y = i / 3 / image.width;
        const int level = (x * 7 + y * 13) % 256 * 3;

        ck_assert_int_eq(image.pixels[i], level > 255 ? 255 : level);
    }
    ncl_image_free(&image);
}
END_TEST

START_TEST(turned_as_exif_or_xmp_say)
{
    static const char *const paths[] = {"tests/data/exif6.png", "tests/data/xmp6.png"};

    for (int k = 0; k < 2; k++) {
        struct ncl_image image = decode_file(paths[k]);

        ck_assert_int_eq(image.width, ROWS);
        ck_assert_int_eq(image.height, COLUMNS);
        for (int i = 0; i < COLUMNS * ROWS * 3; i++) {
            const int x = i / 3 / ROWS, y = ROWS - 1 - i / 3 % ROWS; /* in the file */

            ck_assert_int_eq(image.pixels[i], colour(colour_index(x, y), i % 3));
        }
        ncl_image_free(&image);
    }
}
END_TEST

START_TEST(cut_at_any_byte)
{
    must_refuse_prefixes("tests/data/colours_interlaced.png", 1, 0);
    must_refuse_prefixes("tests/data/palette.png", 7, 0);
}
END_TEST

/* A file of these chunks after the signature; checksums are made. */
struct builder {
    unsigned char bytes[1 << 16];
    size_t size;
};

static uint32_t checksum(const unsigned char *data, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size * 8; i++)
        crc = ((crc ^ (uint32_t)data[i / 8] >> i % 8) & 1 ? 0xedb88320u : 0u) ^ crc >> 1;
    return ~crc;
}

static void put32(struct builder *b, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        b->bytes[b->size++] = (unsigned char)(value >> shift);
}

static void put_chunk(struct builder *b, const char *type, const void *data, size_t size)
{
    const size_t start = b->size + 4;

    put32(b, (uint32_t)size);
    memcpy(b->bytes + b->size, type, 4);
    memcpy(b->bytes + b->size + 4, data, size);
    b->size += 4 + size;
    put32(b, checksum(b->bytes + start, size + 4));
}

static void put_header(struct builder *b, uint32_t width, uint32_t height, int depth,
                       int colour_type)
{
    struct builder header = {.size = 0};

    *b = (struct builder){.bytes = "\x89PNG\r\n\x1a\n", .size = 8};
    put32(&header, width);
    put32(&header, height);
    header.bytes[8] = (unsigned char)depth;
    header.bytes[9] = (unsigned char)colour_type;
    put_chunk(b, "IHDR", header.bytes, 13);
}

static void check_size(uint32_t width, uint32_t height, const char *said)
{
    struct builder b;

    put_header(&b, width, height, 8, 2);
    put_chunk(&b, "IDAT", "", 0);
    put_chunk(&b, "IEND", "", 0);
    must_refuse_bytes(b.bytes, b.size, said);
}

START_TEST(huge_dimensions_are_refused_before_memory_is)
{
    check_size(0x7fffffff, 0x7fffffff, "expected sides");
    check_size(0xffffffff, 1, "expected sides");
    check_size(0, 47, "0 x 47 pixels, expected sides");
    check_size(32768, 4097, "32768 x 4097 pixels, expected at most");
}
END_TEST

/* zlib: one stored block of zeros; its checksum is left out, which decoders do not read. */
static void put_pixels(struct builder *b, size_t size)
{
    unsigned char packed[512] = {0x78, 0x01, 0x01};

    packed[3] = (unsigned char)size;
    packed[4] = (unsigned char)(size >> 8);
    packed[5] = (unsigned char)~packed[3];
    packed[6] = (unsigned char)~packed[4];
    put_chunk(b, "IDAT", packed, size + 7);
}

START_TEST(chunks_in_their_places)
{
    struct builder b;
    struct ncl_image image;

    put_header(&b, 10, 10, 8, 2);
    put_pixels(&b, 310);
    put_chunk(&b, "IEND", "", 0);
    ck_assert_int_eq(ncl_image_decode_memory(NULL, "x", b.bytes, b.size, &image), NCL_OK);
    ncl_image_free(&image);
    b.bytes[b.size - 1] ^= 1;
    must_refuse_bytes(b.bytes, b.size, "checksum");
    put_header(&b, 10, 10, 8, 2);
    put_pixels(&b, 309);
    put_chunk(&b, "IEND", "", 0);
    must_refuse_bytes(b.bytes, b.size, "not enough pixels");
    put_header(&b, 10, 10, 8, 2);
    put_chunk(&b, "IEND", "", 0);
    must_refuse_bytes(b.bytes, b.size, "without IDAT");
    put_header(&b, 10, 10, 8, 2);
    put_chunk(&b, "IHDR", "", 0);
    must_refuse_bytes(b.bytes, b.size, "expected one PNG header");
    b.size = 8;
    put_chunk(&b, "IHDR", "0123456789ab", 12);
    must_refuse_bytes(b.bytes, b.size, "header of 12 bytes, expected 13");
    b.size = 8;
    put_chunk(&b, "IDAT", "0123456789ab", 12);
    must_refuse_bytes(b.bytes, b.size, "expected a PNG header");
    put_header(&b, 10, 10, 8, 2);
    put_chunk(&b, "ABCD", "", 0);
    must_refuse_bytes(b.bytes, b.size, "expected a known PNG chunk");
    put_header(&b, 10, 10, 3, 2);
    put_chunk(&b, "IDAT", "", 0);
    put_chunk(&b, "IEND", "", 0);
    must_refuse_bytes(b.bytes, b.size, "1/2/4/8/16-bit only");
}
END_TEST

START_TEST(palettes_that_cannot_be)
{
    static const size_t sizes[] = {4, 771};
    static const unsigned char palette[771];
    struct builder b;

    for (int i = 0; i < 2; i++) {
        put_header(&b, 10, 10, 8, 3);
        put_chunk(&b, "PLTE", palette, sizes[i]);
        must_refuse_bytes(b.bytes, b.size, "expected one of 3 to 768");
    }
    put_header(&b, 10, 10, 8, 3);
    put_chunk(&b, "PLTE", palette, 3);
    put_chunk(&b, "PLTE", palette, 3);
    must_refuse_bytes(b.bytes, b.size, "expected one of 3 to 768");
}
END_TEST

/* A block of fixed codes: a zero, then repeats of 258 bytes by 13 bits each. */
START_TEST(a_small_file_of_gigabytes)
{
    static unsigned char packed[40000] = {0x78, 0x01};
    static const char start[] = "11000110000", repeat[] = "1100010100000"; /* bits as they come */
    struct builder b;
    size_t bit = 16;

    for (size_t i = 0; i < sizeof start - 1; i++, bit++)
        packed[bit / 8] |= (unsigned char)((start[i] - '0') << bit % 8);
    for (; bit < sizeof packed * 8 - 13;)
        for (size_t i = 0; i < sizeof repeat - 1; i++, bit++)
            packed[bit / 8] |= (unsigned char)((repeat[i] - '0') << bit % 8);
    put_header(&b, 1, 1, 8, 2);
    put_chunk(&b, "IDAT", packed, sizeof packed);
    put_chunk(&b, "IEND", "", 0);
    must_refuse_bytes(b.bytes, b.size, "more packed data");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("png");

    tcase_add_test(tests, every_kind_of_pixel);
    tcase_add_test(tests, palettes);
    tcase_add_test(tests, grey_of_16_bits_is_clipped);
    tcase_add_test(tests, turned_as_exif_or_xmp_say);
    tcase_add_test(tests, cut_at_any_byte);
    tcase_add_test(tests, huge_dimensions_are_refused_before_memory_is);
    tcase_add_test(tests, chunks_in_their_places);
    tcase_add_test(tests, palettes_that_cannot_be);
    tcase_add_test(tests, a_small_file_of_gigabytes);
    return ncl_run_suite(tests, "png");
}
