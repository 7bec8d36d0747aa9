/* SPDX-License-Identifier: Apache-2.0 */
/* What a candidate must never see. Candidates look for a file of the name tocsin_sealed_secret. */
