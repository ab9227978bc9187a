package targon

// Block is a height of the chain.
type Block uint64

// Blocks is a number of blocks.
type Blocks uint64

// Epoch numbers a verifier's scoring intervals, from 0 at its first start.
type Epoch uint64

// Month numbers the spans over which evidence is kept.
type Month uint64

const (
	// EpochBlocks is the length of an epoch in production.
	EpochBlocks Blocks = 360
	// MonthBlocks is 600 epochs of 360 blocks: 30 days at 12 s. Time is counted in
	// blocks, so that every verifier agrees on where a month ends.
	MonthBlocks Blocks = 600 * EpochBlocks
)

// MonthOf returns the month that block b belongs to.
func MonthOf(b Block) Month { return Month(uint64(b) / uint64(MonthBlocks)) }

// End returns the first block after the month.
func (m Month) End() Block { return Block((uint64(m) + 1) * uint64(MonthBlocks)) }

// Tempo is a subnet's rhythm: the chain pays once every Length+1 blocks.
//
// Subtensor runs the epoch in the block where (block + netuid + 1) mod (tempo + 1)
// equals tempo (recorded at spec 293), so two subnets of the same tempo pay in
// different blocks. The three methods below are that rule and its inverses.
type Tempo struct {
	NetUID NetUID
	Length Blocks
}

// Pays reports whether the chain runs the subnet's epoch in block b.
func (t Tempo) Pays(b Block) bool { return t.phase(b) == uint64(t.Length) }

// Next returns the first block at or after b in which the chain pays.
func (t Tempo) Next(b Block) Block { return b + Block(uint64(t.Length)-t.phase(b)) }

// Index numbers the tempo that block b belongs to, as commit-reveal counts them.
func (t Tempo) Index(b Block) uint64 {
	return (uint64(b) + uint64(t.NetUID) + 1) / (uint64(t.Length) + 1)
}

func (t Tempo) phase(b Block) uint64 {
	return (uint64(b) + uint64(t.NetUID) + 1) % (uint64(t.Length) + 1)
}

// Header names a block of the chain.
type Header struct {
	Number Block
	Hash   Digest
}
