"""Engines that compare.py lets compete, each in a process of its own: engines.py ENGINE JSON.

A worker loads the model, runs once, saves that output, prints a line of JSON ({"ready": ...}) and
then, for each line "RUNS SECONDS" on its standard input, runs at most RUNS times, or until SECONDS
have passed, and prints {"seconds": [...]}. A run is host tensor in, host tensor out."""
import ctypes
import json
import os
import sys
import time

WARM_SECONDS = 0.05  # of each turn, untimed: threads that the engine before left spinning die down


class Missing(Exception):
    """The engine is not installed; the message says how to get it."""


# ---- NextCL through its C API ----

class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("mem", ctypes.c_void_p), ("bytes", ctypes.c_size_t),
                ("element", ctypes.c_int), ("rank", ctypes.c_int), ("dims", ctypes.c_int64 * 8)]


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("device", ctypes.c_char_p),
                ("math", ctypes.c_int), ("precision", ctypes.c_int),
                ("cache_dir", ctypes.c_char_p),
                ("rest", ctypes.c_char * 512)]  # struct_size tells NextCL how much of it is there


class Io(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("element", ctypes.c_int), ("layout", ctypes.c_int),
                ("rank", ctypes.c_int), ("dims", ctypes.c_int64 * 8)]


class DeviceInfo(ctypes.Structure):
    _fields_ = [("platform_index", ctypes.c_int), ("device_index", ctypes.c_int),
                ("platform", ctypes.c_char * 128), ("name", ctypes.c_char * 256),
                ("vendor", ctypes.c_char * 128), ("driver", ctypes.c_char * 128),
                ("version", ctypes.c_char * 128), ("rest", ctypes.c_char * 512)]


MATH = {"auto": 0, "reproducible": 1, "fast": 2}


def tensor_of(array):
    tensor = Tensor(data=array.ctypes.data, bytes=array.nbytes, rank=array.ndim)
    for i, length in enumerate(array.shape):
        tensor.dims[i] = length
    return tensor


class NextCL:
    def __init__(self, setup, x):
        import numpy
        os.environ.setdefault("POCL_AFFINITY", "1")  # as the command line does
        self.library = ctypes.CDLL(setup["library"])
        self.library.ncl_last_error.restype = ctypes.c_char_p
        self.library.ncl_version.restype = ctypes.c_char_p
        one = ctypes.c_size_t(1)
        options, context = Options(), ctypes.c_void_p()
        self.library.ncl_options_init(ctypes.byref(options))
        options.math = MATH[setup["math"]]
        if setup.get("device"):
            options.device = setup["device"].encode()
        self.check(self.library.ncl_open(ctypes.byref(options), ctypes.byref(context)))
        info = DeviceInfo()
        self.check(self.library.ncl_context_device(context, ctypes.byref(info)))
        self.version = "NextCL %s, %s on %s, %s" % tuple(
            text.decode() for text in (self.library.ncl_version(), info.name, info.platform,
                                       info.version))
        model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.library.ncl_model_load(context, setup["model"].encode(),
                                               ctypes.byref(model)))
        self.input = tensor_of(x)
        self.check(self.library.ncl_session_create(context, model, ctypes.byref(self.input), one,
                                                   ctypes.byref(self.session)))
        io = Io()
        self.check(self.library.ncl_session_output(self.session, ctypes.c_size_t(0),
                                                   ctypes.byref(io)))
        self.y = numpy.zeros(list(io.dims[:io.rank]), numpy.float32)
        self.output = tensor_of(self.y)
        self.arguments = (self.session, ctypes.byref(self.input), one, ctypes.byref(self.output),
                          one)

    def check(self, status):
        if status:
            sys.exit("NextCL: " + self.library.ncl_last_error().decode())

    def run(self):
        self.check(self.library.ncl_session_run(*self.arguments))
        return self.y


# ---- the others ----

class OnnxRuntime:
    def __init__(self, setup, x):
        try:
            import onnxruntime
        except ImportError:
            raise Missing("pip install onnxruntime") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setup["threads"]
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(setup["model"], options,
                                                    providers=["CPUExecutionProvider"])
        self.feed = {self.session.get_inputs()[0].name: x}
        self.version = f"ONNX Runtime {onnxruntime.__version__}, CPU, {setup['threads']} threads"

    def run(self):
        return self.session.run(None, self.feed)[0]


class OpenVino:
    def __init__(self, setup, x):
        try:
            import openvino
        except ImportError:
            raise Missing("pip install openvino") from None
        core = openvino.Core()
        model = core.read_model(setup["model"])
        model.reshape(list(x.shape))
        compiled = core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": setup["threads"],
            "INFERENCE_PRECISION_HINT": "f32"})
        self.request, self.x = compiled.create_infer_request(), x
        self.version = f"OpenVINO {openvino.__version__}, CPU, f32, {setup['threads']} threads"

    def run(self):
        return self.request.infer([self.x])[0]


class OpenCv:
    """OpenCV's own OpenCL kernels. Elsewhere than on Intel's GPUs it must be told to use them."""

    def __init__(self, setup, x):
        os.environ.setdefault("OPENCV_OPENCL_DEVICE", setup.get("opencv_device") or ":CPU:")
        os.environ["OPENCV_DNN_OPENCL_ALLOW_ALL_DEVICES"] = "1"
        try:
            import cv2
        except ImportError:
            raise Missing("apt-get install python3-opencv (or pip install "
                          "opencv-python-headless)") from None
        if not cv2.ocl.haveOpenCL():
            raise Missing("OpenCV sees no OpenCL device")
        cv2.ocl.setUseOpenCL(True)
        cv2.setNumThreads(setup["threads"])
        self.net, self.x = cv2.dnn.readNetFromONNX(setup["model"]), x
        self.net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        self.net.setPreferableTarget(cv2.dnn.DNN_TARGET_OPENCL)
        self.version = f"OpenCV {cv2.__version__}, OpenCL target on " \
                       f"{cv2.ocl.Device_getDefault().name()}"

    def run(self):
        self.net.setInput(self.x)
        return self.net.forward()


class ClBlast:
    """Only the 1x1 convolutions and dense layers, as the matrix products they are (no bias, no
    activation, no strides' gathering): a floor under any net built on this library."""

    GPU_OR_CPU = 0xFFFFFFFF  # CL_DEVICE_TYPE_ALL

    def __init__(self, setup, x):
        del x  # CLBlast has no network to feed it to
        try:
            self.blas = ctypes.CDLL("libclblast.so.1")
            self.cl = ctypes.CDLL("libOpenCL.so.1")
        except OSError:
            raise Missing("apt-get install libclblast1") from None
        self.open(setup.get("device") or "")
        self.products = setup["products"]
        elements = max(max(m * k, k * n, m * n) for m, n, k in self.products)
        self.buffers = [self.buffer(elements) for _ in range(3)]
        self.version = f"CLBlast, {len(self.products)} matrix products on {self.name}"

    def open(self, wanted):
        cl, pointer = self.cl, ctypes.c_void_p
        for name in ("clCreateContext", "clCreateCommandQueue", "clCreateBuffer"):
            getattr(cl, name).restype = pointer
        platforms, devices = (pointer * 16)(), (pointer * 16)()
        count = ctypes.c_uint()
        cl.clGetPlatformIDs(16, platforms, ctypes.byref(count))
        for platform in platforms[:count.value]:
            found, name = ctypes.c_uint(), ctypes.create_string_buffer(256)
            if cl.clGetDeviceIDs(pointer(platform), ctypes.c_uint64(self.GPU_OR_CPU), 16, devices,
                                 ctypes.byref(found)):
                continue
            cl.clGetDeviceInfo(pointer(devices[0]), 0x102B, ctypes.c_size_t(256), name, None)
            if wanted.lower() in name.value.decode().lower():
                self.device, self.name = pointer(devices[0]), name.value.decode()
                break
        else:
            raise Missing(f"CLBlast: no device named {wanted!r}")
        error = ctypes.c_int()
        self.context = pointer(cl.clCreateContext(None, 1, ctypes.byref(self.device), None, None,
                                                  ctypes.byref(error)))
        self.queue = pointer(cl.clCreateCommandQueue(self.context, self.device,
                                                     ctypes.c_uint64(0), ctypes.byref(error)))

    def buffer(self, elements):
        import numpy
        error = ctypes.c_int()
        ones = numpy.full(elements, 0.01, numpy.float32)
        copy_host = ctypes.c_uint64(1 | 1 << 5)
        return ctypes.c_void_p(self.cl.clCreateBuffer(
            self.context, copy_host, ctypes.c_size_t(ones.nbytes),
            ctypes.c_void_p(ones.ctypes.data), ctypes.byref(error)))

    def run(self):
        row_major, plain, size, real = 101, 111, ctypes.c_size_t, ctypes.c_float
        a, b, c = self.buffers
        for m, n, k in self.products:
            status = self.blas.CLBlastSgemm(
                row_major, plain, plain, size(m), size(n), size(k), real(1), a, size(0), size(k),
                b, size(0), size(n), real(0), c, size(0), size(n), ctypes.byref(self.queue), None)
            if status:
                sys.exit(f"CLBlast: status {status}")
        self.cl.clFinish(self.queue)
        return None


ENGINES = {"nextcl": NextCL, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "opencv": OpenCv,
           "clblast": ClBlast}


def turn(engine, runs, seconds):
    warm_until = time.perf_counter() + WARM_SECONDS
    engine.run()
    while time.perf_counter() < warm_until:
        engine.run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < runs and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        engine.run()
        times.append(time.perf_counter() - start)
    return times


def work(name, setup):
    import numpy
    x = numpy.ascontiguousarray(numpy.load(setup["input"]))
    try:
        engine = ENGINES[name](setup, x)
    except Missing as missing:
        print(json.dumps({"missing": str(missing)}), flush=True)
        return
    start = time.perf_counter()
    output = engine.run()
    first = time.perf_counter() - start
    if output is not None:
        numpy.save(setup["output"], numpy.asarray(output))
    start = time.perf_counter()
    engine.run()
    print(json.dumps({"ready": engine.version, "first": first,
                      "second": time.perf_counter() - start}), flush=True)
    for line in sys.stdin:
        runs, seconds = line.split()
        print(json.dumps({"seconds": turn(engine, int(runs), float(seconds))}), flush=True)


if __name__ == "__main__":
    work(sys.argv[1], json.loads(sys.argv[2]))
