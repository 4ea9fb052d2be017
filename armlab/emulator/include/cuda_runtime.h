#pragma once  // CuPy looks for a file of this name; what it declares is in cuda_on_cpu.h
