// A convolution's sizes, and how its channels are shared among threads.

const int PLANES = 4;  // of a thread; a plane is a channel of an image

struct Window {
  long long n, c, h, w;  // of x
  long long oh, ow;      // of y
  long long r, s;        // of the kernel
  long long t, u;        // stride
  long long p, q;        // padding
  long long d, e;        // dilation
  long long each, ones;  // channels of a group, and 1 where a row of ones follows their taps
};
