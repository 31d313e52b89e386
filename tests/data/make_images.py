"""Makes the images of this folder and what Pillow and torchvision make of them. Needs pillow, numpy
and torchvision; run in this folder."""
import numpy as np
from PIL import Image
from torchvision import transforms

WIDTH, HEIGHT = 61, 47
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
red, green, blue = (x * 7 + y * 13) % 256, (x * 31 + y) % 256, (x + y * 5) % 256
rgb = np.stack([red, green, blue], axis=2).astype(np.uint8)
alpha = ((x * y) % 256).astype(np.uint8)


def save(name, pixels, **options):
    Image.fromarray(pixels).save(name, **options)


save("rgb.png", rgb)
save("rgba.png", np.dstack([rgb, alpha]))
save("grey.png", rgb[:, :, 0])
save("grey_alpha.png", np.dstack([rgb[:, :, 0], alpha]))
save("grey16.png", red.astype(np.uint16) * 257)
Image.fromarray(rgb // 64 * 85).quantize(64).save("palette.png")
np.save("palette.expected.npy", np.asarray(Image.open("palette.png").convert("RGB"), np.float32))
smooth = np.stack([x * 4, y * 5, 255 - x * 2 - y * 2], axis=2).astype(np.uint8)
save("smooth.jpg", smooth, quality=95, subsampling=0)
save("progressive.jpg", smooth, quality=95, subsampling=0, progressive=True)
save("grey.jpg", smooth[:, :, 0], quality=95)

image = Image.fromarray(rgb)
for width, height in ((20, 33), (20, 50), (64, 47), (WIDTH, 9)):
    resized = image.resize((width, height), Image.BILINEAR)
    np.save(f"rgb_{width}x{height}.expected.npy", np.asarray(resized, np.float32))


def torchvision(image, resize, crop):
    return transforms.Compose([
        transforms.Resize(resize), transforms.CenterCrop(crop), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])(image).numpy()


np.save("rgb_torchvision.expected.npy", torchvision(image, 27, 24))
np.save("cat_torchvision.expected.npy", torchvision(Image.open("cat.jpg"), 36, 31))
