/// Names of the codec's classes, for headers that only mention them.
#pragma once

namespace milena::wire {

class Reader;
class Writer;

}  // namespace milena::wire
