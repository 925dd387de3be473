#include "log_row.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "sealed_row.hpp"

namespace penchant {
namespace {

void append_unit(std::string &json, std::uint32_t unit) {
    json += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        json.push_back("0123456789abcdef"[unit >> shift & 15]);
    }
}

// Removes a character from the front of a well-formed text.
std::uint32_t next_character(std::string_view &text) noexcept {
    const auto first = static_cast<std::uint8_t>(text[0]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint32_t character = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t at = 1; at < size && at < text.size(); ++at) {
        character = character << 6 | (static_cast<std::uint8_t>(text[at]) & 0x3FU);
    }
    text.remove_prefix(size < text.size() ? size : text.size());
    return character;
}

void append_integer(std::string &json, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    json.append(digits, end);
}

}  // namespace

void append_json_text(std::string &json, std::string_view text) {
    json.push_back('"');
    while (!text.empty()) {
        const std::uint32_t character = next_character(text);
        switch (character) {
            case '"': json += "\\\""; break;
            case '\\': json += "\\\\"; break;
            case '\n': json += "\\n"; break;
            case '\r': json += "\\r"; break;
            case '\t': json += "\\t"; break;
            case '\f': json += "\\f"; break;
            case '\b': json += "\\b"; break;
            default:
                if (character >= ' ' && character <= '~') {
                    json.push_back(static_cast<char>(character));
                } else if (character < 0x10000) {
                    append_unit(json, character);
                } else {
                    append_unit(json, 0xD800 + ((character - 0x10000) >> 10));
                    append_unit(json, 0xDC00 + ((character - 0x10000) & 0x3FF));
                }
        }
    }
    json.push_back('"');
}

void append_json_number(std::string &json, double number) {
    char text[32];
    // The fewest digits that give the number back, as d.ddde+xx.
    const auto written =
        std::to_chars(text, text + sizeof text, std::abs(number), std::chars_format::scientific);
    const std::string_view all(text, static_cast<std::size_t>(written.ptr - text));
    const std::size_t mark = all.find('e');
    std::string digits(all.substr(0, 1));
    if (mark > 2) digits += all.substr(2, mark - 2);
    int exponent = 0;
    std::from_chars(text + mark + (all[mark + 1] == '+' ? 2 : 1), written.ptr, exponent);
    if (std::signbit(number)) json.push_back('-');
    const int point = exponent + 1;  // Digits before the point.
    const auto size = static_cast<int>(digits.size());
    if (point > 16 || point <= -4) {
        json.push_back(digits[0]);
        if (size > 1) json.append(".").append(digits, 1, std::string::npos);
        json += exponent < 0 ? "e-" : "e+";
        const int magnitude = std::abs(exponent);
        if (magnitude < 10) json.push_back('0');
        append_integer(json, static_cast<std::uint64_t>(magnitude));
    } else if (point <= 0) {
        json.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
    } else if (point >= size) {
        json.append(digits).append(static_cast<std::size_t>(point - size), '0').append(".0");
    } else {
        json.append(digits, 0, static_cast<std::size_t>(point)).push_back('.');
        json.append(digits, static_cast<std::size_t>(point), std::string::npos);
    }
}

std::string encode_log_row(const ReportedEvent &event, std::string_view user, std::int64_t at_us,
                           std::uint64_t state_version, std::int64_t accepted_at_us) {
    std::string row = begun_row();
    row.reserve(192 + event.event_id.size() + user.size() + event.item.size());
    row.push_back('[');
    for (const std::string_view text : {event.event_id, user, event.item, event.signal}) {
        append_json_text(row, text);
        row.push_back(',');
    }
    if (event.value) {
        append_json_number(row, *event.value);
    } else {
        row += "null";
    }
    row.push_back(',');
    append_integer(row, static_cast<std::uint64_t>(at_us));
    row.push_back(',');
    append_json_text(row, event.recommendation_id);
    row.push_back(',');
    append_integer(row, state_version);
    row.push_back(',');
    append_integer(row, static_cast<std::uint64_t>(accepted_at_us));
    row += ",[";
    bool first = true;
    for (const auto &[key, value] : event.context) {
        if (!first) row.push_back(',');
        first = false;
        row.push_back('[');
        append_json_text(row, key);
        row.push_back(',');
        append_json_text(row, value);
        row.push_back(']');
    }
    row += "],";
    if (event.exposure) {
        const ReportedExposure &shown = *event.exposure;
        row.push_back('[');
        append_integer(row, shown.position);
        row.push_back(',');
        append_json_number(row, shown.propensity);
        row += shown.propensity_estimated ? ",true," : ",false,";
        append_json_number(row, shown.score);
        row.push_back(']');
    } else {
        row += "null";
    }
    row.push_back(']');
    seal(row);
    return row;
}

}  // namespace penchant
