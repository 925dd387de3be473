#include "repeats.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>

namespace penchant {
namespace {

constexpr double visit_s = 3600.0;

struct Like {
    const WindowRow *row;
    double age_s;
    double weight;
    bool paused;
};

// sim_t of likes in time order: how much each one's visit resembles the basket of the last hour.
std::vector<double> similarity(const std::vector<Like> &likes) {
    std::vector<double> similar(likes.size(), 0.0);
    std::unordered_map<std::uint32_t, bool> basket;
    for (const Like &like : likes) {
        if (like.age_s < visit_s) basket[like.row->item] = true;
    }
    if (basket.empty()) return similar;
    for (std::size_t begin = 0; begin < likes.size();) {
        std::size_t end = begin, common = 0;
        do {
            common += basket.count(likes[end].row->item);
            ++end;
        } while (end < likes.size() &&
                 static_cast<double>(likes[end].row->occurred_at_us -
                                     likes[end - 1].row->occurred_at_us) <= visit_s * 1e6);
        const double size = static_cast<double>(end - begin) * static_cast<double>(basket.size());
        for (; begin < end; ++begin) {
            if (likes[begin].age_s < visit_s) continue;
            similar[begin] = static_cast<double>(common) / std::sqrt(size);
        }
    }
    return similar;
}

std::vector<Like> likes_in(const std::vector<WindowRow> &window, const std::vector<double> &factors,
                           double bucket_start_us, const RepeatSettings &settings) {
    std::vector<Like> likes;
    for (std::size_t t = 0; t < window.size(); ++t) {
        const WindowRow &row = window[t];
        const double factor = factors.empty() ? 1.0 : factors[row.signal];
        if (!(row.reward * factor > 0) || !is_counted(window, t, bucket_start_us)) continue;
        const double age_s =
            std::max(0.0, (bucket_start_us - static_cast<double>(row.occurred_at_us)) / 1e6);
        const double weight = row.reward * std::exp2(age_s / -settings.half_life_s) * factor;
        likes.push_back({&row, age_s, weight, age_s < settings.pause_s});
    }
    return likes;
}

}  // namespace

Repeats repeats_of(const std::vector<WindowRow> &window, const std::vector<double> &factors,
                   double bucket_start_us, const RepeatSettings &settings) {
    std::vector<Like> likes = likes_in(window, factors, bucket_start_us, settings);
    if (settings.basket_weight != 0) {
        const std::vector<double> similar = similarity(likes);
        for (std::size_t at = 0; at < likes.size(); ++at) {
            likes[at].weight *= 1.0 + settings.basket_weight * similar[at];
        }
    }
    std::unordered_map<std::uint32_t, double> sums, paused;
    double most = 0;
    for (Like &like : likes) {
        if (like.paused) {
            like.weight = 0;
            paused[like.row->item] += 1;
        }
        most = std::max(most, sums[like.row->item] += like.weight);
    }
    Repeats repeats;
    for (const Like &like : likes) {
        double share = like.weight / (1.0 + most);
        if (like.paused) share -= 1.0 / paused[like.row->item];
        repeats.items.push_back(like.row->item);
        repeats.shares.push_back(share);
    }
    return repeats;
}

}  // namespace penchant
