"""Makes the images of this folder, and what Pillow, torchvision and Keras make of them. Needs numpy
and pillow; torchvision and keras, each where it can be imported, for the files named after them.
Run in this folder."""
import importlib.util
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 61, 47
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
red, green, blue = (x * 7 + y * 13) % 256, (x * 31 + y) % 256, (x + y * 5) % 256
rgb = np.stack([red, green, blue], axis=2).astype(np.uint8)
alpha = ((x * y) % 256).astype(np.uint8)


def save(name, pixels, **options):
    Image.fromarray(pixels).save(name, **options)


def expect(name, image):
    np.save(name + ".expected.npy", np.asarray(image, np.float32))


save("rgb.png", rgb)
save("rgba.png", np.dstack([rgb, alpha]))
save("grey.png", rgb[:, :, 0])
save("grey_alpha.png", np.dstack([rgb[:, :, 0], alpha]))
save("grey16.png", red.astype(np.uint16) * 3)
indexed = Image.fromarray(rgb // 64 * 85).quantize(64)
indexed.save("palette.png")
indexed.save("palette.gif", interlace=1)
expect("palette", Image.open("palette.png").convert("RGB"))
smooth = np.stack([x * 4, y * 5, 255 - x * 2 - y * 2], axis=2).astype(np.uint8)
save("smooth.jpg", smooth, quality=95, subsampling=0)
save("progressive.jpg", smooth, quality=95, subsampling=0, progressive=True)
save("grey.jpg", smooth[:, :, 0], quality=95)

image = Image.fromarray(rgb)
for width, height in ((20, 33), (20, 50), (64, 47), (WIDTH, 9), (58, 9)):
    expect(f"rgb_{width}x{height}", image.resize((width, height), Image.BILINEAR))
expect("rgb_nearest_33x70", image.resize((33, 70), Image.NEAREST))
expect("rgb_grey", image.convert("L"))

# Hard edges and single-pixel lines in every way that JPEG subsamples colour, and as ink.
y, x = np.mgrid[0:27, 0:38]
edges = np.stack([(x > 17) * 255, (y % 9 == 4) * 255, (x % 7 == 3) * 200 + (x + y > 40) * 55], 2)
edges = Image.fromarray(edges.astype(np.uint8))
for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
    edges.save(f"edges_{name}.jpg", quality=90, subsampling=subsampling)
    expect(f"edges_{name}", Image.open(f"edges_{name}.jpg"))
edges.convert("CMYK").save("edges_cmyk.jpg", quality=90)
expect("edges_cmyk", Image.open("edges_cmyk.jpg").convert("RGB"))

# Eight colours, each channel all or nothing, so that every format holds them exactly.
y, x = np.mgrid[0:14, 0:21]
index = (x * 3 + y * 5 + x * y // 7) % 8
colours = np.stack([index & 1, index >> 1 & 1, index >> 2], 2) * 255
corners = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], np.uint8) * 255
rows, columns = index.shape


def write(name, data, expected=colours):
    """A file made by hand, which Pillow must see as it was meant."""
    with open(name, "wb") as file:
        file.write(data)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.array_equal(seen, expected), name


def bits_of(levels, bits):
    """Rows of `levels`, packed with the highest bit first."""
    packed = [np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:] for row in levels]
    return [np.packbits(row.reshape(-1)).tobytes() for row in packed]


# ---- PNG ----

def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_rows(lines):
    return b"".join(b"\0" + line for line in lines)


def png(bits, colour, lines, extra=b"", interlace=0):
    header = struct.pack(">IIBBBBB", columns, rows, bits, colour, 0, 0, interlace)
    packed = zlib.compress(png_rows(lines) if not interlace else lines)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra +
            png_chunk(b"IDAT", packed[:50]) + png_chunk(b"IDAT", packed[50:]) +
            png_chunk(b"IEND", b""))


def words(levels):
    return [row.astype(">u2").tobytes() for row in levels]


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))
deep = colours // 255 * 0xff80 + index[:, :, None]  # low bytes are cut off
write("colours_16bit.png", png(16, 2, words(deep)))
write("colours_interlaced.png",
      png(8, 2, b"".join(png_rows([row.astype(np.uint8).tobytes() for row in colours[b::d, a::c]])
                         for a, b, c, d in PASSES), interlace=1))
# Black is an index that the palette lacks; and what transparency hides stays.
lacking = np.where(index == 0, 12, index)
write("colours_lacking.png",
      png(4, 3, bits_of(lacking, 4), png_chunk(b"PLTE", corners.tobytes()) +
          png_chunk(b"tRNS", b"\0\0\x80")))
shades = np.repeat((index % 4 * 85)[:, :, None], 3, 2)
write("shades_2bit.png", png(2, 0, bits_of(index % 4, 2)), shades)
write("shades_alpha16.png",
      png(16, 4, words(np.dstack([shades[:, :, 0] * 257, index * 999]))), shades)

# ---- Netpbm ----

black = np.repeat(((index & 1) * 255)[:, :, None], 3, 2)
size = b"%d # columns\n%d\n" % (columns, rows)
write("colours_plain.ppm", b"P3\n# plain\n" + size + b"7\n" +
      "\n".join(" ".join(str(v // 255 * 7) for v in row.reshape(-1)) for row in colours).encode())
write("colours_16bit.ppm", b"P6 " + size + b"1000\n" + b"".join(words(colours // 255 * 1000)))
write("bits_plain.pbm", b"P1\n" + size +
      b"\n".join(b"".join(b"%d" % (1 - (v & 1)) for v in row) for row in index), black)
write("bits.pbm", b"P4\n" + size + b"".join(bits_of(1 - (index & 1), 1)), black)
save("rgb.ppm", rgb)
save("grey.pgm", rgb[:, :, 0])

# ---- BMP ----


def bmp(bits, lines, palette=b"", header=40, compression=0, masks=(), upside_down=True):
    lines = [line + bytes(-len(line) % 4) for line in lines] if compression in (0, 3) else lines
    body = b"".join(lines[::-1] if upside_down else lines)
    if header == 12:
        info = struct.pack("<IHHHH", header, columns, rows, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, columns, rows if upside_down else -rows, 1, bits,
                           compression, len(body), 0, 0, len(palette) // 4, 0)
        info += struct.pack(f"<{len(masks)}I", *masks)
        info += bytes(max(0, header - len(info)))
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + info + palette + body


def run_lengths(bits):
    """Pairs, runs of one, and literals, each line ended."""
    def pack(values):
        return values if bits == 8 else [a << 4 | b for a, b in zip(values[::2], values[1::2])]

    lines = []
    for row in index.tolist():
        line = bytes([0, 6] + pack(row[:6])) + (b"\0" if len(pack(row[:6])) % 2 else b"")
        for value in row[6:]:
            line += bytes([1, value if bits == 8 else value << 4])
        lines.append(line + b"\0\0")
    lines[0] += b"\0\1"
    return lines


four = np.hstack([corners[:, ::-1], np.zeros((8, 1), np.uint8)]).tobytes()
bgr = colours[:, :, ::-1].astype(np.uint8)
five = colours // 255 * 31
write("colours_4bit.bmp", bmp(4, bits_of(index, 4), four))
write("colours_os2.bmp", bmp(8, bits_of(index, 8), np.tile(corners[:, ::-1], (32, 1)).tobytes(), 12))
write("colours_15bit.bmp", bmp(16, [row.astype("<u2").tobytes() for row in
                                    five[:, :, 0] << 10 | five[:, :, 1] << 5 | five[:, :, 2]]))
write("colours_16bit.bmp",
      bmp(16, [row.astype("<u2").tobytes() for row in
               five[:, :, 0] << 11 | five[:, :, 1] // 31 * 63 << 5 | five[:, :, 2]],
          compression=3, masks=(0xf800, 0x7e0, 0x1f)))
write("colours_32bit.bmp",
      bmp(32, [row.tobytes() for row in np.dstack([colours.astype(np.uint8), index])
               .astype(np.uint8)], header=108, compression=3,
          masks=(0xff, 0xff00, 0xff0000, 0xff000000)))
write("colours_top_down.bmp", bmp(24, [row.tobytes() for row in bgr], upside_down=False))
write("colours_runs8.bmp", bmp(8, run_lengths(8), four, compression=1))
write("colours_runs4.bmp", bmp(4, run_lengths(4), four, compression=2))
write("bits.bmp", bmp(1, bits_of(index & 1, 1), bytes(4) + b"\xff\xff\xff\0"), black)

# ---- GIF ----


def gif(table, canvas, at, transparent=None, local=None):
    """One frame at `at` on a canvas; codes of four bits that a clear keeps from growing."""
    bits, count = "", 0
    for value in index.reshape(-1).tolist():
        if count % 5 == 0:
            bits = "1000" + bits
        bits, count = f"{value:04b}" + bits, count + 1
    bits = "1001" + bits
    data = int(bits, 2).to_bytes((len(bits) + 7) // 8, "little")
    blocks = b"".join(bytes([len(data[i:i + 60])]) + data[i:i + 60]
                      for i in range(0, len(data), 60))
    control = b"" if transparent is None else bytes([0x21, 0xf9, 4, 1, 0, 0, transparent, 0])
    return (b"GIF89a" + struct.pack("<HHBBB", *canvas, 0xa2, 0, 0) + table.tobytes() +
            b"!\xfe\4test\0" + control + b"," + struct.pack("<HHHH", *at, columns, rows) +
            (b"\x82" + local.tobytes() if local is not None else b"\0") + b"\3" + blocks + b"\0;")


canvas = np.zeros((rows + 5, columns + 7, 3), np.int64)
canvas[3:3 + rows, 2:2 + columns] = colours
write("colours.gif", gif(corners, (columns + 7, rows + 5), (2, 3)), canvas)
around = np.full_like(canvas, 0) + corners[6]
around[3:3 + rows, 2:2 + columns] = colours
write("colours_local.gif", gif(corners[::-1], (columns + 7, rows + 5), (2, 3), 6, corners), around)

# ---- orientation ----

photo = Image.fromarray(np.stack([x * 12, y * 18, 255 - x * 6 - y * 4], 2).astype(np.uint8))
for big_endian in (False, True):
    tags = [(0x10f, 2, 4, b"abc\0"), (0x112, 3, 1, b"\0\1\0\0" if big_endian else b"\1\0\0\0")]
    mark = ">" if big_endian else "<"
    exif = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(mark + "IH", 8, len(tags))
    exif += b"".join(struct.pack(mark + "HHI", *tag[:3]) + tag[3] for tag in tags) + bytes(4)
    photo.save(f"exif_{'big' if big_endian else 'little'}.jpg", quality=90,
               exif=b"Exif\0\0" + exif)
turned = []
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x112] = orientation
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90, exif=exif)
    turned.append(np.asarray(ImageOps.exif_transpose(Image.open(file)), np.float32).reshape(-1))
np.save("exif.expected.npy", np.stack(turned))
exif[0x112] = 6
upright = np.rot90(colours, -1)
write("exif6.png", png(8, 2, [row.astype(np.uint8).tobytes() for row in colours],
                       png_chunk(b"eXIf", exif.tobytes()[6:])), upright)
XMP = b'<x:xmpmeta><rdf:Description %s/></x:xmpmeta>'
write("xmp6.png", png(8, 2, [row.astype(np.uint8).tobytes() for row in colours],
                      png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" +
                                XMP % b'tiff:Orientation="6"')), upright)
photo.save("xmp6.jpg", quality=90, xmp=XMP % b"a='b'><tiff:Orientation>6</tiff:Orientation><b")

# ---- whole preprocessing ----


def torchvision(image, resize, crop):
    from torchvision import transforms
    return transforms.Compose([
        transforms.Resize(resize), transforms.CenterCrop(crop), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])(image).numpy()


def keras_mode(path, size, mode, crop=None):
    import keras
    loaded = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(size, size)))
    start = (size - (crop or size)) // 2
    loaded = loaded[start:size - start, start:size - start]
    return keras.applications.imagenet_utils.preprocess_input(loaded, "channels_last", mode)


if importlib.util.find_spec("torchvision"):
    np.save("rgb_torchvision.expected.npy", torchvision(image, 27, 24))
    np.save("cat_torchvision.expected.npy", torchvision(Image.open("cat.jpg"), 36, 31))
    np.save("edges_torchvision.expected.npy", torchvision(Image.open("edges_420.jpg"), 40, 35))
if importlib.util.find_spec("keras"):
    np.save("cat_keras_tf.expected.npy", keras_mode("cat.jpg", 31, "tf"))
    np.save("cat_keras_caffe.expected.npy", keras_mode("cat.jpg", 31, "caffe"))
    np.save("cat_keras_torch.expected.npy", keras_mode("cat.jpg", 37, "torch", 31))
    np.save("edges_keras_tf.expected.npy", keras_mode("edges_422.jpg", 50, "tf"))
