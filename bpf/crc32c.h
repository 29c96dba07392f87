/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What other ports do to the checksum of an SCTP packet (CRC32c, RFC 9260
 * appendix A), by their difference and the packet's length alone. A CRC is
 * linear: those of two packets of one length differ by that of what the packets
 * differ in, begun at zero. That is four bytes here, and then zeros, so the
 * difference goes through one register for as many zero bytes as the packet is
 * long: by one table for each bit of the length. Plain C, no map.
 */
#ifndef LB_CRC32C_H
#define LB_CRC32C_H

#include <linux/types.h>

#define LB_CRC32C_LENGTH_BITS 16
#define LB_CRC32C_DIGITS 8 /* of the register, four bits each */

/*
 * after[k][d][v]: what becomes of a register that has the value v in its digit
 * d, and zeros elsewhere, by 2^k bytes of zeros.
 */
struct lb_crc32c {
	__u32 after[LB_CRC32C_LENGTH_BITS][LB_CRC32C_DIGITS][16];
};

static inline __u32 lb_crc32c_after(const volatile struct lb_crc32c *zeros,
				    __u32 k, __u32 value)
{
	__u32 result = 0;

	for (__u32 digit = 0; digit < LB_CRC32C_DIGITS; digit++)
		result ^= zeros->after[k][digit][value >> 4 * digit & 15];
	return result;
}

static inline void lb_crc32c_set(struct lb_crc32c *zeros)
{
	for (__u32 k = 0; k < LB_CRC32C_LENGTH_BITS; k++)
		for (__u32 i = 0; i < LB_CRC32C_DIGITS * 16; i++) {
			__u32 value = (i % 16) << 4 * (i / 16);

			/* one byte: bit by bit; twice as many: twice */
			for (int bit = 0; !k && bit < 8; bit++)
				value = value >> 1 ^
					(value & 1 ? 0x82f63b78u : 0);
			for (int half = 0; k && half < 2; half++)
				value = lb_crc32c_after(zeros, k - 1, value);
			zeros->after[k][i / 16][i % 16] = value;
		}
}

/*
 * To be added (XOR) to the checksum of a packet of `length` bytes whose first
 * four were changed by so much; both as they lie in the packet.
 */
static inline __u32 lb_crc32c_change(const volatile struct lb_crc32c *zeros,
				     __u32 change, __u32 length)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	change = __builtin_bswap32(change);
#endif
	for (__u32 k = 0; k < LB_CRC32C_LENGTH_BITS; k++)
		if (length >> k & 1)
			change = lb_crc32c_after(zeros, k, change);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	change = __builtin_bswap32(change);
#endif
	return change;
}

#endif
