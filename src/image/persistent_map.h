/// PersistentMap<K, V>: an ordered map whose copies share structure.
///
/// A copy costs one reference count. `insert`, `edit` and `erase` cost O(log n): they copy the nodes on the path
/// that others share and change in place those that belong to this map alone, so that a map that nobody else
/// holds is built without copying. An AVL tree: height below 1.45 log2(n), no random priorities, so that the
/// same operations give the same tree everywhere. Iteration is in ascending key order.
///
/// Ownership: nodes are shared between maps and freed with their last holder. Threads: counts are atomic, maps
/// on different threads may share nodes; one map object is for one thread at a time. Pointers that `find`
/// returns are good until this map is changed or gone. V should be cheap to copy (see cow.h).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>

namespace milena::image {

template <class K, class V, class Compare = std::less<>>
class PersistentMap {
 public:
  using value_type = std::pair<const K, V>;
  class Iterator;

  PersistentMap() = default;
  PersistentMap(const PersistentMap& other) : root_(retain(other.root_)), size_(other.size_) {}
  PersistentMap(PersistentMap&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PersistentMap& operator=(PersistentMap other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PersistentMap() { release(root_); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <class Q>
  const V* find(const Q& key) const {
    const Node* node = root_;
    while (node != nullptr) {
      if (Compare{}(key, node->item.first)) node = node->left;
      else if (Compare{}(node->item.first, key)) node = node->right;
      else return &node->item.second;
    }
    return nullptr;
  }
  template <class Q>
  bool contains(const Q& key) const { return find(key) != nullptr; }

  /// Sets the value of `key`. Returns true if the key is new.
  bool insert(const K& key, V value) {
    bool added = false;
    root_ = put(root_, key, added, [&](V& slot) { slot = std::move(value); });
    size_ += added ? 1 : 0;
    return added;
  }
  /// The value of `key` for changing, made by default if the key is new. Good until the next change or copy.
  V& edit(const K& key) {
    bool added = false;
    V* found = nullptr;
    root_ = put(root_, key, added, [&](V& slot) { found = &slot; });
    size_ += added ? 1 : 0;
    return *found;
  }
  /// Returns false if there was no such key.
  bool erase(const K& key) {
    if (!contains(key)) return false;
    root_ = remove(root_, key);
    --size_;
    return true;
  }
  void clear() { *this = PersistentMap(); }

  Iterator begin() const { return Iterator(root_); }
  Iterator end() const { return Iterator(nullptr); }
  /// The first item whose key is not less than `key`.
  template <class Q>
  Iterator lower_bound(const Q& key) const { return Iterator(root_, key); }

  bool same_tree(const PersistentMap& other) const { return root_ == other.root_; }
  friend bool operator==(const PersistentMap& a, const PersistentMap& b) {
    return a.root_ == b.root_ || (a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin()));
  }

 private:
  struct Node {
    explicit Node(const K& key) : item(key, V{}) {}
    Node(const Node& other)
        : item(other.item), left(retain(other.left)), right(retain(other.right)), height(other.height) {}
    ~Node() {
      release(left);
      release(right);
    }
    value_type item;
    Node* left = nullptr;
    Node* right = nullptr;
    std::atomic<std::uint32_t> refs{1};
    std::int32_t height = 1;
  };

  static Node* retain(Node* node) {
    if (node != nullptr) node->refs.fetch_add(1, std::memory_order_relaxed);
    return node;
  }
  static void release(Node* node) {
    if (node != nullptr && node->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node;
  }
  /// The node itself if the caller is its only holder, else a copy; the caller's count moves to the result.
  static Node* own(Node* node) {
    if (node->refs.load(std::memory_order_acquire) == 1) return node;
    Node* copy = new Node(*node);
    release(node);
    return copy;
  }
  static std::int32_t height(const Node* node) { return node == nullptr ? 0 : node->height; }
  static void update(Node* node) { node->height = 1 + std::max(height(node->left), height(node->right)); }
  static Node* rotate_right(Node* node) {
    Node* left = own(node->left);
    node->left = std::exchange(left->right, node);
    update(node);
    update(left);
    return left;
  }
  static Node* rotate_left(Node* node) {
    Node* right = own(node->right);
    node->right = std::exchange(right->left, node);
    update(node);
    update(right);
    return right;
  }
  static Node* balance(Node* node) {
    update(node);
    std::int32_t lean = height(node->left) - height(node->right);
    if (lean > 1) {
      node->left = own(node->left);
      if (height(node->left->left) < height(node->left->right)) node->left = rotate_left(node->left);
      return rotate_right(node);
    }
    if (lean < -1) {
      node->right = own(node->right);
      if (height(node->right->right) < height(node->right->left)) node->right = rotate_right(node->right);
      return rotate_left(node);
    }
    return node;
  }
  template <class Set>
  static Node* put(Node* node, const K& key, bool& added, const Set& set) {
    if (node == nullptr) {
      added = true;
      node = new Node(key);
      set(node->item.second);
      return node;
    }
    node = own(node);
    if (Compare{}(key, node->item.first)) node->left = put(node->left, key, added, set);
    else if (Compare{}(node->item.first, key)) node->right = put(node->right, key, added, set);
    else set(node->item.second);
    return added ? balance(node) : node;
  }
  static Node* remove(Node* node, const K& key) {
    node = own(node);
    if (Compare{}(key, node->item.first)) {
      node->left = remove(node->left, key);
    } else if (Compare{}(node->item.first, key)) {
      node->right = remove(node->right, key);
    } else {
      Node* left = std::exchange(node->left, nullptr);
      Node* right = std::exchange(node->right, nullptr);
      release(node);
      if (right == nullptr) return left;
      Node* least = nullptr;
      right = take_least(right, least);
      least->left = left;
      least->right = right;
      node = least;
    }
    return balance(node);
  }
  /// Cuts the node with the least key out of the tree; it comes back in `least`, without children.
  static Node* take_least(Node* node, Node*& least) {
    node = own(node);
    if (node->left == nullptr) {
      least = node;
      return std::exchange(node->right, nullptr);
    }
    node->left = take_least(node->left, least);
    return balance(node);
  }

  Node* root_ = nullptr;
  std::size_t size_ = 0;
};

/// Good until the map is changed or gone.
template <class K, class V, class Compare>
class PersistentMap<K, V, Compare>::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = std::pair<const K, V>;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  Iterator() = default;
  explicit Iterator(const Node* root) { descend(root); }
  template <class Q>
  Iterator(const Node* node, const Q& key) {
    while (node != nullptr) {
      if (Compare{}(node->item.first, key)) {
        node = node->right;
      } else {
        path_[depth_++] = node;
        node = node->left;
      }
    }
  }
  reference operator*() const { return path_[depth_ - 1]->item; }
  pointer operator->() const { return &path_[depth_ - 1]->item; }
  Iterator& operator++() {
    const Node* node = path_[--depth_];
    descend(node->right);
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) {
    return a.depth_ == b.depth_ && (a.depth_ == 0 || a.path_[a.depth_ - 1] == b.path_[b.depth_ - 1]);
  }

 private:
  void descend(const Node* node) {
    for (; node != nullptr; node = node->left) path_[depth_++] = node;
  }
  std::array<const Node*, 48> path_;  // a tree of 2^32 nodes is at most 46 high
  std::size_t depth_ = 0;
};

}  // namespace milena::image
