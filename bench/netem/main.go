// A relay between two network namespaces: delays every packet and shapes every connection.
//
// It does what `tc netem delay` and `tc fq maxrate` do, on kernels that are built without them, by two TUN
// devices (https://docs.kernel.org/networking/tuntap.html). It keeps the segmentation offload, so that a
// packet here is up to 64 KiB, as on a veth pair, while the connections still see an MTU of 1500.
package main

import (
	"container/heap"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	tunSetIff     = 0x400454ca
	tunSetOffload = 0x400454d0
	iffTun        = 0x0001 | 0x1000 | 0x4000 // IFF_TUN, IFF_NO_PI, IFF_VNET_HDR
	offloads      = 1 | 2 | 4                // TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6
	headerBytes   = 10                       // struct virtio_net_hdr
	packetBytes   = headerBytes + 1<<16
	queueBytes    = 16 << 20 // of one connection; further packets are dropped
)

type packet struct {
	due    time.Time
	number uint64
	data   []byte
}

// packets is a heap by the time of delivery; equal times keep their order.
type packets []packet

func (p packets) Len() int { return len(p) }
func (p packets) Less(i, j int) bool {
	return p[i].due.Before(p[j].due) || p[i].due.Equal(p[j].due) && p[i].number < p[j].number
}
func (p packets) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *packets) Push(x any)   { *p = append(*p, x.(packet)) }
func (p *packets) Pop() any {
	last := len(*p) - 1
	popped := (*p)[last]
	(*p)[last] = packet{}
	*p = (*p)[:last]
	return popped
}

// direction relays packets one way.
type direction struct {
	from, to int
	delay    time.Duration
	rate     float64 // bytes a second of one connection; 0: no limit
	mutex    sync.Mutex
	filled   *sync.Cond
	queue    packets
	free     [][]byte
	sent     map[uint64]time.Time // when a connection's last packet leaves
	number   uint64
}

func newDirection(from, to int, delay time.Duration, rate float64) *direction {
	d := &direction{from: from, to: to, delay: delay, rate: rate, sent: map[uint64]time.Time{}}
	d.filled = sync.NewCond(&d.mutex)
	return d
}

func (d *direction) read() {
	runtime.LockOSThread()
	for {
		buffer := d.buffer()
		count, err := syscall.Read(d.from, buffer)
		if err == syscall.EINTR || err == syscall.EAGAIN {
			continue
		}
		if err != nil {
			log.Fatalf("read: %v", err)
		}
		d.accept(buffer[:count])
	}
}

func (d *direction) accept(data []byte) {
	now := time.Now()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	leaves := now
	if d.rate > 0 {
		flow := connection(data[headerBytes:])
		if last := d.sent[flow]; last.After(leaves) {
			leaves = last
		}
		if leaves.Sub(now).Seconds()*d.rate > queueBytes {
			d.free = append(d.free, data[:packetBytes])
			return
		}
		leaves = leaves.Add(time.Duration(float64(len(data)-headerBytes) / d.rate * 1e9))
		d.sent[flow] = leaves
	}
	d.number++
	heap.Push(&d.queue, packet{leaves.Add(d.delay), d.number, data})
	d.filled.Signal()
}

func (d *direction) write() {
	runtime.LockOSThread()
	for {
		data := d.next()
		// An interface that is not up yet refuses packets; they are lost, as on a cable.
		_, _ = syscall.Write(d.to, data)
		d.mutex.Lock()
		d.free = append(d.free, data[:packetBytes])
		d.mutex.Unlock()
	}
}

// next waits for the packet that is due first. New packets are due a delay later, so it never waits longer.
func (d *direction) next() []byte {
	longest := max(d.delay, 200*time.Microsecond)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for {
		for len(d.queue) == 0 {
			d.filled.Wait()
		}
		wait := time.Until(d.queue[0].due)
		if wait <= 0 {
			return heap.Pop(&d.queue).(packet).data
		}
		d.mutex.Unlock()
		// Not time.Sleep, whose timers are rounded to milliseconds by the poller.
		pause := syscall.NsecToTimespec(int64(min(wait, longest)))
		_ = syscall.Nanosleep(&pause, nil)
		d.mutex.Lock()
	}
}

func (d *direction) buffer() []byte {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if last := len(d.free) - 1; last >= 0 {
		taken := d.free[last]
		d.free = d.free[:last]
		return taken
	}
	return make([]byte, packetBytes)
}

// connection is the two ports of an IPv4 packet; there is one address at either end.
func connection(ip []byte) uint64 {
	if len(ip) < 24 || ip[0]>>4 != 4 {
		return 0
	}
	ports := ip[int(ip[0]&15)*4:]
	if len(ports) < 4 {
		return 0
	}
	return uint64(binary.BigEndian.Uint32(ports))
}

func open(name string) int {
	descriptor, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		log.Fatalf("/dev/net/tun: %v", err)
	}
	var request [40]byte
	copy(request[:15], name)
	binary.NativeEndian.PutUint16(request[16:], iffTun)
	control(descriptor, tunSetIff, uintptr(unsafe.Pointer(&request)))
	control(descriptor, tunSetOffload, offloads)
	return descriptor
}

func control(descriptor int, request, argument uintptr) {
	if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, uintptr(descriptor), request, argument); err != 0 {
		log.Fatalf("ioctl %#x: %v", request, err)
	}
}

func main() {
	delay := flag.Duration("delay", 10*time.Millisecond, "one way")
	rate := flag.Float64("rate", 0, "bytes a second of one connection, each way; 0: no limit")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: netem [-delay D] [-rate R] DEVICE DEVICE")
	}
	a, b := open(flag.Arg(0)), open(flag.Arg(1))
	for _, way := range []*direction{newDirection(a, b, *delay, *rate), newDirection(b, a, *delay, *rate)} {
		go way.read()
		go way.write()
	}
	fmt.Println("ready")
	// End when the parent closes standard input.
	_, _ = os.Stdin.Read(make([]byte, 1))
}
