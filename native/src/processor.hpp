// What the processor can do, asked once.
#pragma once

#include <cstdint>

namespace penchant {

// Registers for numbers side by side: those of every processor, or wider ones, with FMA.
enum class Registers : std::uint8_t { anywhere, avx2, avx512 };

// The widest that the processor has and the system saves.
Registers widest_registers() noexcept;

}  // namespace penchant
