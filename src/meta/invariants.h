/// check_invariants(image): what must hold in every image that this controller (or Kafka's) produces.
#pragma once

#include <string>
#include <vector>

#include "image/image.h"

namespace milena::meta {

/// Leader in ISR, ISR within replicas, ELR disjoint of ISR, one directory per replica, names and ids one to one,
/// no fenced or leaving broker leads, at most one last known leader... Returns what is broken; empty: nothing.
std::vector<std::string> broken_invariants(const image::Image& image);

}  // namespace milena::meta
