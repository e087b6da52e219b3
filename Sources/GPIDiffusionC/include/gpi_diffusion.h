#pragma once
#include <stdint.h>
int32_t gpi_probe(int32_t a);
