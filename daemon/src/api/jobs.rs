//! Work that waits for the disk or the keeper: on threads for it, each kind within its share, so that the flood of one
//! uid's questions never stands before the seat of another.

use super::limits::{
    READS, READS_PER_UID, STRETCHES, STRETCHES_PER_UID, STRETCHES_WAITING, WRITES, WRITES_PER_UID,
};
use super::permits::{Full, Permits};
use super::refusal::{Answer, Refusal};
use seatkeeper::wire::Code;
use seatkeeper_core::desk::Refused;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The work at hand.
pub(crate) struct Jobs {
    reads: Permits,
    writes: Permits,
    writing: Arc<Semaphore>,
    stretches: Permits,
    stretching: Arc<Semaphore>,
}

impl Jobs {
    pub(super) fn new() -> Self {
        Jobs {
            reads: Permits::new(READS, READS_PER_UID),
            writes: Permits::new(usize::MAX, WRITES_PER_UID),
            writing: Arc::new(Semaphore::new(WRITES)),
            stretches: Permits::new(STRETCHES_WAITING, STRETCHES_PER_UID),
            stretching: Arc::new(Semaphore::new(STRETCHES)),
        }
    }

    /// Reads and answers; where its share is taken the caller is told so at once.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        uid: u32,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let permit = self.reads.take(uid);
        let permit = permit.map_err(|full| busy(full, uid, READS))?;
        on_a_thread(permit, work).await
    }

    /// Writes: waits for its turn, behind a bounded number of others of each uid.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        uid: u32,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let permit = self.writes.take(uid);
        let permit = permit.map_err(|full| busy(full, uid, usize::MAX))?;
        in_turn(permit, &self.writing, work).await
    }

    /// Stretches a password, and writes what comes of it: few at a time.
    pub(super) async fn stretch<T: Send + 'static>(
        &self,
        uid: u32,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let permit = self.stretches.take(uid);
        let permit = permit.map_err(|full| busy(full, uid, STRETCHES_WAITING))?;
        in_turn(permit, &self.stretching, work).await
    }
}

/// Waits for its turn, and works.
async fn in_turn<T: Send + 'static>(
    permit: impl Send + 'static,
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Answer<T> {
    let turn = turns.clone().acquire_owned().await;
    let turn = turn.map_err(|why| Refusal::internal(why.to_string()))?;
    on_a_thread((permit, turn), work).await
}

/// The room is given back when the work is done, not when nobody waits for it any more.
async fn on_a_thread<T: Send + 'static>(
    room: impl Send + 'static,
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Answer<T> {
    let worked = tokio::task::spawn_blocking(move || {
        let _room = room;
        work()
    });
    match worked.await {
        Ok(done) => Ok(done?),
        Err(why) => Err(Refusal::internal(why.to_string())),
    }
}

fn busy(full: Full, uid: u32, most: usize) -> Refusal {
    let detail = match full {
        Full::Listener => format!(
            "{most} requests of this kind are being answered, which is all there may be at a time"
        ),
        Full::Uid => format!(
            "uid {uid} asks for too much at a time: as many requests of this kind as one uid may have are being answered"
        ),
    };
    Refusal::new(Code::ServerBusy, detail).after(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;
    use tokio::task::JoinHandle;

    const LONG: Duration = Duration::from_secs(20);

    /// A reading that has begun and ends when the sender is dropped.
    async fn begun(jobs: &Arc<Jobs>, uid: u32) -> (Sender<()>, JoinHandle<Answer<()>>) {
        let (release, released) = channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let jobs = jobs.clone();
        let job = tokio::spawn(async move {
            let work = move || {
                let _ = begin.send(());
                let _ = released.recv_timeout(LONG);
                Ok(())
            };
            jobs.read(uid, work).await
        });
        begun.await.expect("it begins");
        (release, job)
    }

    fn told(answer: Answer<()>) -> (Code, Option<u64>) {
        let problem = answer.expect_err("no room").problem;
        (problem.code, problem.retry_after_s)
    }

    #[tokio::test]
    async fn s24_questions_of_one_uid_stop_neither_those_nor_the_seats_of_others() {
        let jobs = Arc::new(Jobs::new());
        let mut held = Vec::new();
        for _ in 0..READS_PER_UID {
            held.push(begun(&jobs, 7).await);
        }
        let busy = (Code::ServerBusy, Some(1));
        assert_eq!(told(jobs.read(7, || Ok(())).await), busy);
        for uid in 8.. {
            if held.len() == READS {
                break;
            }
            held.push(begun(&jobs, uid).await);
        }
        assert_eq!(told(jobs.read(99, || Ok(())).await), busy);
        jobs.write(7, || Ok(())).await.expect("its own seat, too");
        jobs.stretch(7, || Ok(())).await.expect("and its password");
        let (release, job) = held.swap_remove(0);
        drop(release);
        job.await.expect("no panic").expect("an answer");
        jobs.read(7, || Ok(())).await.expect("room again");
    }

    #[tokio::test]
    async fn s24_passwords_are_stretched_a_few_at_a_time_and_of_one_uid_few_wait() {
        let jobs = Arc::new(Jobs::new());
        let (release, released) = channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        let at_once = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let waiting: Vec<_> = (0..STRETCHES_PER_UID)
            .map(|_| {
                let (jobs, released, at_once) = (jobs.clone(), released.clone(), at_once.clone());
                tokio::spawn(async move {
                    let work = move || {
                        let now = at_once.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert!(now < STRETCHES, "{now} were at work already");
                        let released = released.lock().expect("no panic");
                        let _ = released.recv_timeout(LONG);
                        drop(released);
                        at_once.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        Ok(())
                    };
                    jobs.stretch(7, work).await
                })
            })
            .collect();
        while jobs.stretches.open() < STRETCHES_PER_UID {
            tokio::task::yield_now().await;
        }
        let busy = (Code::ServerBusy, Some(1));
        assert_eq!(told(jobs.stretch(7, || Ok(())).await), busy);
        jobs.write(7, || Ok(())).await.expect("writes go on");
        drop(release);
        for job in waiting {
            job.await.expect("no panic").expect("its turn came");
        }
    }
}
