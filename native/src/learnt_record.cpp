#include "learnt_record.hpp"

namespace penchant {

bool learn(const LearntIn &world, std::string_view before, const std::vector<WindowRow> &added,
           LearntRecord &learnt) {
    RecordHead head{};
    std::vector<WindowRow> window;
    if (!before.empty()) {
        const auto *value = reinterpret_cast<const std::uint8_t *>(before.data());
        if (!read_record(value, before.size(), head)) return false;
        window = window_of(value, head);
    }
    if (added.empty() || world.capacity == 0) return false;
    insert(window, added, world.capacity);
    // The next ranking is probably made in the context of the last event.
    const std::uint32_t *context = window.back().context;
    if (!fold(world.terms, world.catalog, window, context, world.bucket_start_us,
              learnt.interest)) {
        return false;
    }
    const FoldKey key{world.catalog_version, world.bucket, world.settings,
                      context_digest(context, world.terms.context_halvings)};
    learnt.value = encode_record(head.state_version + added.size(), window, key, learnt.interest);
    return true;
}

}  // namespace penchant
