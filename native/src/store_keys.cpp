#include "store_keys.hpp"

#include <cstddef>

namespace penchant {
namespace {

std::string begun(Kind kind, std::size_t size) {
    std::string key;
    key.reserve(size);
    key.push_back(static_cast<char>(kind));
    return key;
}

void append_text(std::string &key, std::string_view text) {
    key.push_back('T');
    for (const char byte : text) {
        key.push_back(byte);
        if (byte == '\0') key.push_back('\xff');
    }
    key.push_back('\0');
    key.push_back('\x01');
}

void append_big_endian(std::string &key, std::uint64_t number) {
    key.push_back('N');
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>(number >> shift & 0xFF));
    }
}

}  // namespace

std::string key_of(Kind kind, std::string_view user) {
    std::string key = begun(kind, user.size() + 4);
    append_text(key, user);
    return key;
}

std::string key_of(Kind kind, std::uint64_t number) {
    std::string key = begun(kind, 10);
    append_big_endian(key, number);
    return key;
}

std::string key_of(Kind kind, std::uint64_t number, std::string_view user) {
    std::string key = begun(kind, user.size() + 13);
    append_big_endian(key, number);
    append_text(key, user);
    return key;
}

std::string key_of(Kind kind, std::string_view user, std::uint64_t digest) {
    std::string key = begun(kind, user.size() + 13);
    append_text(key, user);
    append_big_endian(key, digest);
    return key;
}

}  // namespace penchant
