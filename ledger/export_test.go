package ledger

import "io"

// Disk and OpenDisk let tests put faults behind a File.
type Disk = disk

// Header lets the fuzz test build files.
func Header() []byte { return header() }

// OpenDisk opens what lies on a disk of the given size; torn receives cut tails.
func OpenDisk(d Disk, size int64, torn func([]byte)) (*File, error) {
	f := newFile(d, "disk")
	_, err := f.load(size, func(r io.Reader) (string, error) {
		b, err := io.ReadAll(r)
		if torn != nil {
			torn(b)
		}
		return "torn", err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Limit makes frames smaller than the format allows.
func (f *File) Limit(payload int) { f.most = payload }
